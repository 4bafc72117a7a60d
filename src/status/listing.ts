import { pino } from 'pino'
import type { ApiClient } from '../cluster/api-client.ts'
import { hasStatus } from '../cluster/api-error.ts'
import { ApiServerOutage } from '../cluster/api-server-outage.ts'
import { listAll, type Collection } from '../cluster/collection.ts'
import { failureReason } from '../cluster/failure-reason.ts'
import { kinds, type Kind, type KindName } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { resourcePath } from '../cluster/resource-path.ts'
import { WatchCache } from '../cluster/watch-cache.ts'
import { selectorLabels } from '../render/names.ts'

/** The servers to report. Without a namespace: all of them. */
export interface Scope { readonly namespace?: string | undefined, readonly name?: string | undefined }

/** The objects of one kind, or why they are not known. */
export type Listed =
  | { readonly state: 'listed', readonly objects: readonly KubernetesObject[] }
  /** The API server has no such kind. */
  | { readonly state: 'not-served' }
  | { readonly state: 'unknown', readonly reason: string }

export type Listing = ReadonlyMap<KindName, Listed>

const listed = Object.keys(kinds).filter(name => name !== 'CustomResourceDefinition') as readonly KindName[]

/** The requests for the objects of the servers. The values of Secrets are never requested. */
function collectionsOf ({ namespace, name }: Scope): [KindName, Collection][] {
  return listed.map(kindName => {
    const kind: Kind = kinds[kindName]
    const labels = [
      ...kind.labelSelector === undefined ? [] : [kind.labelSelector],
      ...name === undefined || kindName === 'Secret' || kindName === 'DittoServer' ? [] : [`instance=${selectorLabels(name).instance}`],
    ].join(',')
    return [kindName, {
      path: resourcePath(kind, namespace === undefined ? {} : { namespace }),
      ...labels === '' ? {} : { labelSelector: labels },
      ...kindName === 'DittoServer' && name !== undefined ? { fieldSelector: `metadata.name=${name}` } : {},
      ...kind.watch === 'metadata' ? { metadataOnly: true } : {},
    }]
  })
}

/** Lists all kinds once, at the same time. Never rejects, except with the reason of the signal. */
export async function listOnce (client: ApiClient, scope: Scope, signal: AbortSignal): Promise<Listing> {
  return new Map(await Promise.all(collectionsOf(scope).map(async ([kind, collection]): Promise<[KindName, Listed]> => {
    const objects: KubernetesObject[] = []
    try {
      await listAll(client, collection, signal, object => { objects.push(object) })
      return [kind, { state: 'listed', objects }]
    } catch (error) {
      return [kind, hasStatus(error, 404) ? { state: 'not-served' } : { state: 'unknown', reason: failureReason(error, `list ${kinds[kind].resource}`) }]
    }
  })))
}

/** Watches all kinds. `changed` is called whenever one of the objects may have changed. */
export function watchListing (client: ApiClient, scope: Scope, changed: () => void) {
  const log = pino({ level: 'silent' })
  const outage = new ApiServerOutage(log)
  const caches = collectionsOf(scope).map(([kind, collection]) => {
    const cache = new WatchCache<KubernetesObject>({ client, log, outage, ...collection, transform: object => object, observe: changed })
    cache.onChange(changed)
    return { kind, cache }
  })
  return {
    /** Resolves when all kinds are known. */
    start: async (): Promise<void> => { await Promise.all(caches.map(async ({ cache }) => await cache.start())) },
    listing: (): Listing => new Map(caches.map(({ kind, cache }) => [kind, stateOf(kind, cache)])),
    /** Why what is shown may be out of date. */
    stale: (): string | undefined => caches.map(({ cache }) => cache.state() === 'forbidden' ? undefined : cache.stale()).find(reason => reason !== undefined),
    stop: async (): Promise<void> => { await Promise.all(caches.map(async ({ cache }) => { await cache.stop() })) },
  }
}

function stateOf (kind: KindName, cache: WatchCache<KubernetesObject>): Listed {
  const { resource } = kinds[kind]
  switch (cache.state()) {
    case 'synced': return { state: 'listed', objects: cache.list() }
    case 'not-served': return { state: 'not-served' }
    case 'forbidden': return { state: 'unknown', reason: `forbidden: no permission to list and watch ${resource}` }
    case 'pending':
    case 'stopped': return { state: 'unknown', reason: `${resource} are not listed yet` }
  }
}
