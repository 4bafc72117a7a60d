/** The common fields of every API object; the rest of an object is passed on as unchanged JSON. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
  readonly [field: string]: unknown
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/ */
export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly finalizers?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly OwnerReference[]
  readonly managedFields?: readonly unknown[]
}

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

/** `namespace/name`, or `name` for a cluster-scoped object. */
export function objectKey ({ namespace, name }: Pick<ObjectMeta, 'namespace' | 'name'>): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`
}

/** The managed fields of server-side apply are often half of the bytes of an object, and most caches do not need them. */
export function withoutManagedFields (object: KubernetesObject): KubernetesObject {
  const { managedFields, ...metadata } = object.metadata
  return managedFields === undefined ? object : { ...object, metadata }
}

/** Whether a parsed reply is an object: data from the network is not trusted. */
export function isKubernetesObject (value: unknown): value is KubernetesObject {
  if (typeof value !== 'object' || value === null) return false
  const { metadata } = value as { metadata?: unknown }
  return typeof metadata === 'object' && metadata !== null && typeof (metadata as { name?: unknown }).name === 'string'
}
