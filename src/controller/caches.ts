import type { Clock } from '../clock.ts'
import type { ApiClient } from '../cluster/api-client.ts'
import type { ApiServerOutage } from '../cluster/api-server-outage.ts'
import type { ClusterLog } from '../cluster/cluster-log.ts'
import { kinds, type Kind, type KindName } from '../cluster/kinds.ts'
import { objectKey, type KubernetesObject } from '../cluster/kubernetes-object.ts'
import type { Change } from '../cluster/object-store.ts'
import { resourcePath } from '../cluster/resource-path.ts'
import { WatchCache, type WatchCacheEvent } from '../cluster/watch-cache.ts'
import type { Random } from '../random.ts'
import { cachedForm } from './cached-form.ts'
import type { Known } from './observed.ts'
import type { SecretAccess } from './secret-access.ts'

export interface CachesOptions {
  readonly client: ApiClient
  readonly log: ClusterLog
  readonly outage: ApiServerOutage
  /** Watch only this namespace instead of the whole cluster. */
  readonly namespace?: string
  readonly secretAccess: SecretAccess
  readonly clock: Clock
  readonly random: Random
  readonly onWatch?: (kind: KindName, event: WatchCacheEvent) => void
}

/** The caches of all kinds, kept up to date by watches. */
export class Caches {
  readonly #caches = new Map<KindName, WatchCache<KubernetesObject>>()

  constructor ({ client, log, outage, namespace, secretAccess, clock, random, onWatch }: CachesOptions) {
    for (const [name, kind] of Object.entries(kinds) as [KindName, Kind][]) {
      if (name === 'Secret' && secretAccess === 'get') continue
      this.#caches.set(name, new WatchCache<KubernetesObject>({
        client,
        log,
        outage,
        clock,
        random,
        path: resourcePath(kind, namespace === undefined || kind.only !== undefined ? {} : { namespace }),
        ...(kind.labelSelector === undefined ? {} : { labelSelector: kind.labelSelector }),
        ...(kind.only === undefined ? {} : { fieldSelector: `metadata.name=${kind.only}` }),
        ...(kind.watch === 'metadata' ? { metadataOnly: true } : {}),
        transform: object => cachedForm(name, object),
        observe: event => onWatch?.(name, event),
      }))
    }
  }

  /** Resolves when every kind has been listed, or is known not to be served. */
  async start (): Promise<void> {
    await Promise.all([...this.#caches.values()].map(async cache => await cache.start()))
  }

  async stop (): Promise<void> {
    await Promise.all([...this.#caches.values()].map(async cache => await cache.stop()))
  }

  stale (): readonly string[] {
    return [...this.#caches].flatMap(([name, cache]) => {
      const reason = distrust(name, cache)
      return reason === undefined ? [] : [`the watch on ${name} is stale: ${reason}`]
    })
  }

  /** How fresh each cache is, for metrics. */
  watches () {
    return [...this.#caches].map(([kind, cache]) => ({
      kind, silentSeconds: cache.silentSeconds(), stale: distrust(kind, cache) !== undefined,
    }))
  }

  /** Number of cached objects of each kind. */
  sizes (): ReadonlyMap<KindName, number> {
    return new Map([...this.#caches].map(([kind, cache]) => [kind, cache.size]))
  }

  isServed (kind: KindName): boolean {
    return this.#caches.get(kind)?.state() === 'synced'
  }

  /** The resource version that the watch of a kind has reached. */
  resourceVersion (kind: KindName): string | undefined {
    return this.#caches.get(kind)?.resourceVersion()
  }

  onChange (kind: KindName, handler: (change: Change<KubernetesObject>) => void): void {
    this.#caches.get(kind)?.onChange(handler)
  }

  list (kind: KindName): readonly KubernetesObject[] {
    return this.#caches.get(kind)?.list() ?? []
  }

  get (kind: KindName, namespace: string, name: string): KubernetesObject | undefined {
    return this.#caches.get(kind)?.get(objectKey({ namespace, name }))
  }

  /** Undefined: the kind is not watched, so the object must be read by name. */
  known (kind: KindName, namespace: string, name: string): Known | undefined {
    const cache = this.#caches.get(kind)
    if (!cache) return undefined
    const object = cache.get(objectKey({ namespace, name }))
    if (object) return { state: 'present', object }
    switch (cache.state()) {
      case 'synced': return (kinds[kind] as Kind).labelSelector === undefined ? { state: 'absent' } : { state: 'unlisted' }
      case 'not-served': return { state: 'absent' }
      case 'forbidden': return { state: 'unknown', reason: `no permission to watch ${kind}` }
      case 'pending':
      case 'stopped': return { state: 'unknown', reason: `${kind} has not been listed yet` }
    }
  }
}

/** Why a cache cannot be relied on. */
function distrust (kind: KindName, cache: WatchCache<KubernetesObject>): string | undefined {
  if (cache.state() !== 'forbidden') return cache.stale()
  const { only }: Kind = kinds[kind]
  return only === undefined ? 'no permission to watch it' : undefined
}
