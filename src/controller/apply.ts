import { createHash } from 'node:crypto'
import { ApiError, hasStatus } from '../cluster/api-error.ts'
import type { ApiClient } from '../cluster/api-client.ts'
import { applyRequest, createRequest, deleteRequest, mergePatchRequest } from '../cluster/api-requests.ts'
import { kinds, type KindName } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { resourcePath } from '../cluster/resource-path.ts'
import { fieldManager, group } from '../dittoserver/api.ts'
import type { LiveObjects } from './live-objects.ts'
import { isSubset } from './subset.ts'

/** Digest of what was applied last, on the object: what we no longer render must be taken off it, and absence leaves no trace. */
export const appliedAnnotation = `${group}/applied`

export interface Applied {
  readonly result: 'unchanged' | 'created' | 'updated'
  readonly object: KubernetesObject
  /** Fields that another manager has taken over, and that were left alone. */
  readonly left: readonly string[]
}

/** An object of that name belongs to someone else; it is never adopted. */
export class ForeignObject extends Error {
  override readonly name = 'ForeignObject'
  readonly kind: string
  readonly objectName: string

  constructor (kind: string, objectName: string) {
    super(`${kind} ${objectName} exists and is not ours; rename the DittoServer, or remove that object`)
    this.kind = kind
    this.objectName = objectName
  }
}

export interface ApplyOptions {
  readonly isOurs: (object: KubernetesObject) => boolean
  /** Takes over fields that others manage. */
  readonly force: boolean
  readonly signal: AbortSignal
  /** Throws when writing is no longer ours to do. */
  readonly fence: () => void
}

/** Brings one object to the state that was rendered, and writes nothing when it is in it. */
export class Applier {
  readonly #client: ApiClient
  readonly #live: LiveObjects
  /**
   * What the API server turns into another spelling (`1024Mi` into `1Gi`) never equals what was sent. What came of it counts:
   * version and digest, by uid.
   */
  readonly #settled = new Map<string, { readonly at: string, readonly left: readonly string[] }>()

  /** By uid: objects of which every field of ours is one that we applied. */
  readonly #claimed = new Set<string>()

  constructor (client: ApiClient, live: LiveObjects) {
    this.#client = client
    this.#live = live
  }

  /** @throws {ForeignObject}, and whatever the API server refuses */
  async apply (kind: KindName, rendered: KubernetesObject, options: ApplyOptions): Promise<Applied> {
    const { namespace = '', name } = rendered.metadata
    const digest = createHash('sha256').update(JSON.stringify(rendered)).digest('hex').slice(0, 32)
    const wanted = withAnnotation(rendered, digest)
    const known = this.#live.get(kind, namespace, name)
    if (!known) options.fence()
    const created = known ? undefined : await this.#create(kind, wanted, options.signal)
    if (created) return { result: 'created', object: this.#remember(kind, created, wanted, digest, []), left: [] }
    const current = known ?? await this.#live.read(kind, namespace, name, options.signal)
    if (current && !options.isOurs(current)) throw new ForeignObject(rendered.kind, name)
    // On its way out it takes no changes; the watch tells when it is gone.
    if (current?.metadata.deletionTimestamp !== undefined) return { result: 'unchanged', object: current, left: [] }
    if (current && this.#isApplied(wanted, current, digest)) return { result: 'unchanged', object: current, left: this.#leftOf(current, digest) }
    options.fence()
    if (current) await this.#claimFields(kind, current, options.signal)
    const { object, left } = await this.#send(kind, wanted, options).catch(async (error: unknown) => {
      if (!current || !options.force || !hasStatus(error, 422)) throw error
      await this.#overwrite(kind, wanted, options, error)
      return await this.#send(kind, wanted, options)
    })
    return { result: current ? 'updated' : 'created', object: this.#remember(kind, object, wanted, digest, left), left }
  }

  #remember (
    kind: KindName, object: KubernetesObject, wanted: KubernetesObject, digest: string, left: readonly string[],
  ): KubernetesObject {
    const reply = this.#live.wrote(kind, object)
    const { uid = '' } = reply.metadata
    if (isSubset(wanted, reply)) this.#settled.delete(uid)
    else this.#settled.set(uid, { at: settledAt(reply, digest), left })
    return reply
  }

  /** Undefined: something of that name exists. Server-side apply would adopt it, whosever it is; this cannot. */
  async #create (kind: KindName, object: KubernetesObject, signal: AbortSignal): Promise<KubernetesObject | undefined> {
    const { namespace = '' } = object.metadata
    try {
      return await this.#client.request<KubernetesObject>({
        ...createRequest(resourcePath(kinds[kind], { namespace }), object), query: { fieldManager }, signal,
      })
    } catch (error) {
      if (error instanceof ApiError && error.status === 409 && error.reason === 'AlreadyExists') return undefined
      throw error
    }
  }

  /**
   * What was created bears our fields as those of an update, which would outlive their removal from what we apply. Before
   * the first change they become those of an apply, as client-go's csaupgrade has it:
   * https://pkg.go.dev/k8s.io/client-go/util/csaupgrade
   */
  async #claimFields (kind: KindName, { metadata: { namespace = '', name, uid = '' } }: KubernetesObject, signal: AbortSignal): Promise<void> {
    if (this.#claimed.has(uid)) return
    const found = await this.#live.read(kind, namespace, name, signal)
    const { resourceVersion, managedFields = [] } = found?.metadata ?? {}
    const entries = managedFields as readonly ManagedFields[]
    if (entries.some(isOurUpdate)) {
      const isApplied = entries.some(({ manager, operation }) => manager === fieldManager && operation === 'Apply')
      const changed = entries.flatMap(entry => isOurUpdate(entry) ? isApplied ? [] : [{ ...entry, operation: 'Apply' }] : [entry])
      const path = resourcePath(kinds[kind], { namespace, name })
      const patch = { metadata: { resourceVersion, managedFields: changed } }
      await this.#client.request({ ...mergePatchRequest(path, patch, fieldManager), signal })
    }
    this.#claimed.add(uid)
  }

  /** Deletes an object of ours, and nobody else's. */
  async remove (
    kind: KindName, object: KubernetesObject, { isOurs, signal, fence }: Omit<ApplyOptions, 'force'>, propagationPolicy: 'Background' | 'Orphan' = 'Background',
  ): Promise<void> {
    if (!isOurs(object) || object.metadata.deletionTimestamp !== undefined) return
    fence()
    const { namespace = '', name, uid } = object.metadata
    const path = resourcePath(kinds[kind], { namespace, name })
    try {
      await this.#client.request({ ...deleteRequest(path, { ...(uid ? { uid } : {}), propagationPolicy }), signal })
    } catch (error) {
      // Gone already, or replaced by another of that name, which is not the one that was to go.
      if (!(error instanceof ApiError) || (error.status !== 404 && error.status !== 409)) throw error
    }
    this.#settled.delete(uid ?? '')
    this.#claimed.delete(uid ?? '')
    this.#live.deleted(kind, object)
  }

  #isApplied (wanted: KubernetesObject, current: KubernetesObject, digest: string): boolean {
    if (current.metadata.annotations?.[appliedAnnotation] !== digest) return false
    // Of a Secret only the metadata is watched; the digest tells whether its data is what was rendered.
    return wanted.kind === 'Secret' || isSubset(wanted, current) || this.#settled.get(current.metadata.uid ?? '')?.at === settledAt(current, digest)
  }

  #leftOf (current: KubernetesObject, digest: string): readonly string[] {
    const settled = this.#settled.get(current.metadata.uid ?? '')
    return settled?.at === settledAt(current, digest) ? settled.left : []
  }

  /**
   * An entry that someone else put in a list stays beside ours, and both together may be invalid: two ports of one name.
   * So the lists are replaced as a whole. The record of that write is taken back, or its fields would survive when we
   * no longer apply them. https://kubernetes.io/docs/reference/using-api/server-side-apply/#clearing-managedfields
   */
  async #overwrite (kind: KindName, { metadata: { namespace = '', name }, spec }: KubernetesObject, { signal }: ApplyOptions, cause: unknown): Promise<void> {
    if (spec === undefined) throw cause
    const path = resourcePath(kinds[kind], { namespace, name })
    const patch = async (change: object) =>
      await this.#client.request<KubernetesObject>({ ...mergePatchRequest(path, change, fieldManager), signal })
    const { metadata: { resourceVersion, managedFields = [] } } = await patch({ spec }).catch((error: unknown) => {
      throw hasStatus(error, 422) ? cause : error
    })
    await patch({ metadata: { resourceVersion, managedFields: managedFields.filter(entry => !isOurUpdate(entry as ManagedFields)) } })
  }

  async #send (kind: KindName, wanted: KubernetesObject, { force, signal }: ApplyOptions): Promise<Pick<Applied, 'object' | 'left'>> {
    const { namespace = '', name } = wanted.metadata
    const path = resourcePath(kinds[kind], { namespace, name })
    const send = async (object: KubernetesObject) =>
      await this.#client.request<KubernetesObject>({ ...applyRequest(path, object, { fieldManager, force }), signal })
    try {
      return { object: await send(wanted), left: [] }
    } catch (error) {
      const taken = force ? [] : conflictingFields(error)
      if (taken.length === 0) throw error
      return { object: await send(without(wanted, taken)), left: taken }
    }
  }
}

interface ManagedFields { readonly manager?: string, readonly operation?: string, readonly subresource?: string }

const isOurUpdate = ({ manager, operation, subresource = '' }: ManagedFields) =>
  manager === fieldManager && operation === 'Update' && subresource === ''

const settledAt = ({ metadata: { resourceVersion } }: KubernetesObject, digest: string) => `${resourceVersion ?? ''} ${digest}`

const withAnnotation = (object: KubernetesObject, digest: string): KubernetesObject => ({
  ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [appliedAnnotation]: digest } },
})

/** Paths such as `.spec.instances[name="instance1"].replicas`, of a 409 that names who manages what. */
function conflictingFields (error: unknown): string[] {
  if (!(error instanceof ApiError) || error.status !== 409) return []
  const causes = error.details?.causes ?? []
  return causes.filter(({ reason }) => reason === 'FieldManagerConflict').map(({ field }) => field ?? '').filter(Boolean)
}

/** The object without some fields. An entry of a list is named by its key: `[name="instance1"]`. */
function without (object: KubernetesObject, paths: readonly string[]): KubernetesObject {
  const copy = structuredClone(object) as unknown as Record<string, unknown>
  for (const path of paths) {
    const steps = [...path.matchAll(/\.([^.[]+)|\[([^=]+)="([^"]*)"\]/g)]
    const last = steps.pop()
    let holder: unknown = copy
    for (const [, field, key = '', value] of steps) {
      holder = field !== undefined
        ? (holder as Record<string, unknown> | undefined)?.[field]
        : (holder as Record<string, unknown>[] | undefined)?.find(entry => entry[key] === value)
    }
    if (last?.[1] !== undefined && typeof holder === 'object' && holder !== null) Reflect.deleteProperty(holder, last[1])
  }
  return copy as unknown as KubernetesObject
}
