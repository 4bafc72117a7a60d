import type { ApiClient } from '../cluster/api-client.ts'
import type { ApiServerOutage } from '../cluster/api-server-outage.ts'
import type { ClusterLog } from '../cluster/cluster-log.ts'
import { findObject } from '../cluster/find-object.ts'
import { kinds, type KindName } from '../cluster/kinds.ts'
import { objectKey, withoutManagedFields, type KubernetesObject } from '../cluster/kubernetes-object.ts'
import type { Change } from '../cluster/object-store.ts'
import { resourcePath } from '../cluster/resource-path.ts'
import { WatchCache, type WatchCacheEvent } from '../cluster/watch-cache.ts'

export interface LiveObjectsOptions {
  readonly client: ApiClient
  readonly log: ClusterLog
  readonly outage: ApiServerOutage
  /** Only this namespace, and not the whole cluster. */
  readonly namespace?: string
  readonly onWatch?: (kind: KindName, event: WatchCacheEvent) => void
}

/**
 * The objects of every kind as last known: from the watches, or from the reply to a write of ours that the watches have not
 * caught up with. So a pass never judges by a state that it has itself already changed.
 */
export class LiveObjects {
  readonly #options: LiveObjectsOptions
  readonly #caches = new Map<KindName, WatchCache<KubernetesObject>>()
  /** Replies to writes, until the watch brings the same or a later state. Undefined: we deleted it. */
  readonly #ahead = new Map<string, { readonly version: bigint, readonly object: KubernetesObject | undefined }>()

  /** What the watches brought that was a reply to a write of ours before. */
  readonly #echoes = new WeakSet<KubernetesObject>()

  constructor (options: LiveObjectsOptions) {
    this.#options = options
    const { client, log, outage, namespace, onWatch } = options
    for (const [name, kind] of Object.entries(kinds) as [KindName, typeof kinds[KindName]][]) {
      const cache = new WatchCache<KubernetesObject>({
        client,
        log,
        outage,
        path: resourcePath(kind, namespace === undefined ? {} : { namespace }),
        ...('labelSelector' in kind ? { labelSelector: kind.labelSelector } : {}),
        ...(kind.watch === 'metadata' ? { metadataOnly: true } : {}),
        transform: withoutManagedFields,
        observe: event => onWatch?.(name, event),
      })
      cache.onChange(change => this.#caughtUp(name, change))
      this.#caches.set(name, cache)
    }
  }

  /** Resolves when every kind has been listed, or is known not to be served. */
  async start (): Promise<void> {
    await Promise.all([...this.#caches.values()].map(async cache => await cache.start()))
  }

  async stop (): Promise<void> {
    await Promise.all([...this.#caches.values()].map(async cache => await cache.stop()))
  }

  notReady (): readonly string[] {
    return [...this.#caches].flatMap(([name, cache]) => {
      const reason = distrust(cache)
      return reason === undefined ? [] : [`the watch on ${name} is stale: ${reason}`]
    })
  }

  /** How fresh each copy is, for metrics. */
  watches () {
    return [...this.#caches].map(([kind, cache]) => ({
      kind, silentSeconds: cache.silentSeconds(), stale: distrust(cache) !== undefined,
    }))
  }

  /** False where absence from the watch says nothing, since there is no complete list. */
  isServed (kind: KindName): boolean {
    return this.#cache(kind).state() === 'synced'
  }

  onChange (kind: KindName, handler: (change: Change<KubernetesObject>) => void): void {
    this.#cache(kind).onChange(handler)
  }

  get (kind: KindName, namespace: string, name: string): KubernetesObject | undefined {
    const key = objectKey({ namespace, name })
    const cached = this.#cache(kind).get(key)
    const ahead = this.#ahead.get(`${kind}/${key}`)
    return ahead && versionOf(cached) < ahead.version ? ahead.object : cached
  }

  /** Whether a change is but our own write, which the pass that wrote it has already seen. */
  isEcho (object: KubernetesObject): boolean {
    return this.#echoes.has(object)
  }

  list (kind: KindName): readonly KubernetesObject[] {
    return this.#cache(kind).list()
  }

  /** The object as it is at this moment. @throws whatever is not a 404 */
  async read (kind: KindName, namespace: string, name: string, signal: AbortSignal): Promise<KubernetesObject | undefined> {
    return await findObject(this.#options.client, resourcePath(kinds[kind], { namespace, name }), { signal, retry: true })
  }

  /** Takes note of the reply to a write of ours. */
  wrote (kind: KindName, object: KubernetesObject): KubernetesObject {
    const { apiVersion, kind: name, metadata } = object
    // As the watch would bring it: of a Secret no data.
    const plain = withoutManagedFields(kinds[kind].watch === 'metadata' ? { apiVersion, kind: name, metadata } : object)
    const key = objectKey(plain.metadata)
    if (versionOf(this.#cache(kind).get(key)) < versionOf(plain)) this.#ahead.set(`${kind}/${key}`, { version: versionOf(plain), object: plain })
    return plain
  }

  /** Takes note of a deletion of ours: until the watch tells of it, or of a successor, the object counts as gone. */
  deleted (kind: KindName, { metadata }: KubernetesObject): void {
    const key = objectKey(metadata)
    const known = this.#cache(kind).get(key)
    if (known?.metadata.uid === metadata.uid) this.#ahead.set(`${kind}/${key}`, { version: versionOf(known) + 1n, object: undefined })
  }

  #caughtUp (kind: KindName, { key, type, object }: Change<KubernetesObject>): void {
    const ahead = this.#ahead.get(`${kind}/${key}`)
    if (ahead?.object && type !== 'deleted' && versionOf(object) === ahead.version) this.#echoes.add(object)
    // What is deleted is told with the object that was last seen, and is news whoever wrote that.
    else this.#echoes.delete(object)
    if (ahead && (type === 'deleted' || versionOf(object) >= ahead.version)) this.#ahead.delete(`${kind}/${key}`)
  }

  #cache (kind: KindName): WatchCache<KubernetesObject> {
    const cache = this.#caches.get(kind)
    if (!cache) throw new Error(`${kind} is not watched`)
    return cache
  }
}

/** Why a copy cannot be relied on. */
const distrust = (cache: WatchCache<KubernetesObject>): string | undefined =>
  cache.state() === 'forbidden' ? 'no permission to watch it' : cache.stale()

/**
 * Resource versions of one kind may be ordered as whole numbers, which Kubernetes guarantees since 1.35 and etcd always did.
 * https://github.com/kubernetes/enhancements/issues/5504
 */
function versionOf (object: KubernetesObject | undefined): bigint {
  const version = object?.metadata.resourceVersion ?? ''
  return /^[0-9]+$/.test(version) ? BigInt(version) : 0n
}
