import * as api from '../dittoserver/api.ts'
import { resourcePath, type Resource } from './resource-path.ts'

/** One kind of object that the operator uses. Caches, requests and RBAC are derived from this table. */
export interface Kind extends Resource {
  readonly apiVersion: string
  readonly kind: string
  /** The verbs that the reconcile loop uses and is granted. */
  readonly verbs: readonly string[]
  /** What is watched: whole objects, or only metadata. Absent: the kind is not watched. */
  readonly watch?: 'object' | 'metadata'
  /** Only objects with this label are watched. */
  readonly labelSelector?: string
  /**
   * Cluster-scoped, and only the object with this name. Nothing important depends on it: the operator also works without permission to read
   * it.
   */
  readonly only?: string
}

export const managedBy = 'dittofs-operator'
const owned = `app.kubernetes.io/managed-by=${managedBy}`

const kind = (group: string, version: string, resource: string, name: string, rest: Pick<Kind, 'verbs' | 'watch' | 'labelSelector' | 'only'>): Kind =>
  ({ group, version, resource, kind: name, apiVersion: group === '' ? version : `${group}/${version}`, ...rest })

export const kinds = {
  DittoServer: kind(api.group, api.version, api.plural, api.kind, { verbs: ['get', 'list', 'watch', 'patch'], watch: 'object' }),
  ConfigMap: kind('', 'v1', 'configmaps', 'ConfigMap', { verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'], watch: 'object', labelSelector: owned }),
  Service: kind('', 'v1', 'services', 'Service', { verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'], watch: 'object', labelSelector: owned }),
  StatefulSet: kind('apps', 'v1', 'statefulsets', 'StatefulSet', {
    verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'], watch: 'object', labelSelector: owned,
  }),
  // All Secrets are watched, because users choose the names; but never their data.
  Secret: kind('', 'v1', 'secrets', 'Secret', { verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'], watch: 'metadata' }),
  // The StatefulSet controller gives claims the labels of its selector.
  PersistentVolumeClaim: kind('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim', {
    verbs: ['get', 'list', 'watch', 'patch'], watch: 'object', labelSelector: 'app=dittofs-server',
  }),
  // Why a server is not ready, in the words of the scheduler and the kubelet.
  Pod: kind('', 'v1', 'pods', 'Pod', { verbs: ['list', 'watch'], watch: 'object', labelSelector: 'app=dittofs-server' }),
  PerconaPGCluster: kind(api.percona.group, api.percona.version, api.percona.plural, api.percona.kind, {
    verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'], watch: 'object', labelSelector: owned,
  }),
  // Contains the version of the installed Percona operator.
  CustomResourceDefinition: kind('apiextensions.k8s.io', 'v1', 'customresourcedefinitions', 'CustomResourceDefinition', {
    verbs: ['get', 'list', 'watch'], watch: 'metadata', only: api.percona.crdName,
  }),
} as const satisfies Record<string, Kind>

export type KindName = keyof typeof kinds

/** The path of one object; for a cluster-scoped kind, without a namespace. */
export const objectPath = (name: KindName, { namespace, name: object }: { readonly namespace: string, readonly name: string }): string => {
  const kind: Kind = kinds[name]
  return resourcePath(kind, { ...(kind.only === undefined ? { namespace } : {}), name: object })
}
