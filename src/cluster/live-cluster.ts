import { group, percona, plural, version } from '../dittoserver/api.ts'
import { absent, present, unknown } from '../rules/facts.ts'
import { ApiServerOutage } from './api-server-outage.ts'
import { hasStatus } from './api-error.ts'
import { served } from './discovery.ts'
import { failureReason } from './failure-reason.ts'
import { isNamespaceName, isObjectName } from './object-name.ts'
import { resourcePath } from './resource-path.ts'
import { secretFact, secretResource } from './secret.ts'
import { SharedLookup } from './shared-lookup.ts'
import { storageClassFact, storageClassResource } from './storage-class.ts'
import { WatchCache } from './watch-cache.ts'
import type { Fact, SecretFact, StorageClassFact } from '../rules/facts.ts'
import type { ApiClient } from './api-client.ts'
import type { Cluster } from './cluster.ts'
import type { ClusterLog } from './cluster-log.ts'
import type { KubernetesObject } from './kubernetes-object.ts'
import type { Resource } from './resource-path.ts'
import type { WatchCacheEvent, WatchTiming } from './watch-cache.ts'

export type LookupKind = 'StorageClass' | 'Secret' | 'PerconaPGCluster' | 'DittoServer'

export interface Lookup {
  readonly kind: LookupKind
  readonly result: Fact<unknown>['state']
  readonly seconds: number
}

export interface LiveClusterOptions {
  readonly client: ApiClient
  readonly log: ClusterLog
  /** Shared with the other watches of the process, if there are any. */
  readonly outage?: ApiServerOutage
  readonly timing?: Partial<WatchTiming>
  /** Milliseconds of a clock that never jumps. */
  readonly now?: () => number
  /** Every answer, also one from the cache. */
  readonly onLookup?: (lookup: Lookup) => void
  readonly onWatch?: (event: WatchCacheEvent) => void
}

/** No request outlives the longest admission (30 s is the API server's limit), whatever its callers' signals do. */
const requestTimeoutMs = 10_000
const reuseMs = 2000
/** Of a few hundred bytes each; a burst of 1,000 different Secrets within two seconds is beyond any real load. */
const maxReused = 1000
/** A Secret holds at most 1 MiB, in base64, and `metadata` at most 256 KiB of annotations. */
const maxObjectBytes = 4 * 1024 * 1024

const perconaResource: Resource = { group: percona.group, version: percona.version, resource: percona.plural }
const dittoServerResource: Resource = { group, version, resource: plural }

/**
 * The cluster behind an API server. StorageClasses come from a watch, and a miss is confirmed by a live read, since a
 * watch lags; Secrets are read by name, and of them only the lengths of their values are kept, for two seconds.
 */
export class LiveCluster implements Cluster {
  readonly #options: LiveClusterOptions
  readonly #now: () => number
  readonly #classes: WatchCache<StorageClassFact>
  readonly #liveClass: SharedLookup<StorageClassFact>
  readonly #liveSecret: SharedLookup<SecretFact>
  readonly #liveServed: SharedLookup<true>
  #sortedClasses: readonly StorageClassFact[] | undefined

  constructor (options: LiveClusterOptions) {
    const { client, log, outage = new ApiServerOutage(log), timing = {}, onWatch } = options
    this.#options = options
    const now = options.now ?? (() => performance.now())
    this.#now = now
    this.#classes = new WatchCache({
      client,
      log,
      outage,
      timing,
      now,
      path: resourcePath(storageClassResource),
      transform: storageClassFact,
      observe: event => onWatch?.(event),
    })
    this.#classes.onChange(() => { this.#sortedClasses = undefined })
    // Of StorageClasses a watch knows what is there; a live answer is for the moment, and only shared, not reused.
    this.#liveClass = new SharedLookup({ fetch: this.#reading(storageClassResource, storageClassFact), reuseMs: 0, maxEntries: 1, now })
    this.#liveSecret = new SharedLookup({ fetch: this.#reading(secretResource, secretFact), reuseMs, maxEntries: maxReused, now })
    this.#liveServed = new SharedLookup({
      fetch: (_key, signal) => this.#guarded(`get ${percona.group}`, () => served(client, perconaResource, signal, requestTimeoutMs)),
      reuseMs,
      maxEntries: 1,
      now,
    })
  }

  async start (): Promise<void> {
    await this.#classes.start()
  }

  async stop (): Promise<void> {
    await this.#classes.stop()
  }

  /**
   * Without the permission to watch StorageClasses this serves all the same, and is ready: each lookup is then a live
   * read, only the list of names for a message is missing, and waiting would not bring the permission. (The watch logs
   * the refusal as an error, and tries again from time to time.)
   */
  notReady (): string | undefined {
    switch (this.#classes.state()) {
      case 'forbidden': return undefined
      case 'stopped': return 'stopped'
      case 'pending': return `waiting for the StorageClasses: ${this.#classes.stale(this.#now())}`
      case 'synced':
      case 'not-served': {
        const reason = this.#classes.stale(this.#now())
        return reason === undefined ? undefined : `the watch on StorageClasses is stale: ${reason}`
      }
    }
  }

  watches () {
    const now = this.#now()
    return [{ kind: 'StorageClass', silentSeconds: this.#classes.silentSeconds(now), stale: this.#distrust() !== undefined }]
  }

  storageClass (name: string, signal: AbortSignal): Fact<StorageClassFact> | Promise<Fact<StorageClassFact>> {
    const cached = this.#distrust() === undefined ? this.#classes.get(name) : undefined
    if (cached !== undefined) {
      this.#options.onLookup?.({ kind: 'StorageClass', result: 'present', seconds: 0 })
      return present(cached)
    }
    return this.#observed('StorageClass', async () => isObjectName(name) ? await this.#liveClass.find(name, signal) : absent)
  }

  storageClasses (): Fact<readonly StorageClassFact[]> {
    const reason = this.#distrust()
    if (reason !== undefined) return unknown(reason)
    this.#sortedClasses ??= this.#classes.list().sort((a, b) => a.name < b.name ? -1 : 1)
    return present(this.#sortedClasses)
  }

  async secret (namespace: string, name: string, signal: AbortSignal): Promise<Fact<SecretFact>> {
    return await this.#observed('Secret', async () =>
      isNamespaceName(namespace) && isObjectName(name) ? await this.#liveSecret.find(`${namespace}/${name}`, signal) : absent)
  }

  async perconaServed (signal: AbortSignal): Promise<Fact<true>> {
    return await this.#observed('PerconaPGCluster', async () => await this.#liveServed.find('', signal))
  }

  /** Whether DittoServers are served: asked once, at start, to say plainly that the CRD is missing. */
  async crdInstalled (signal: AbortSignal): Promise<Fact<true>> {
    return await this.#observed('DittoServer', async () => await this.#guarded(`get ${group}`, () =>
      served(this.#options.client, dittoServerResource, signal, requestTimeoutMs)))
  }

  /** Why the watched StorageClasses cannot be relied on now. */
  #distrust (): string | undefined {
    const state = this.#classes.state()
    if (state === 'forbidden') return 'forbidden: no permission to watch storageclasses'
    return state === 'stopped' ? 'stopped' : this.#classes.stale(this.#now())
  }

  /** A live read of one object by its key. */
  #reading<Value> (resource: Resource, factOf: (object: KubernetesObject) => Value) {
    return async (key: string, signal: AbortSignal): Promise<Fact<Value>> => {
      const [name = '', namespace] = key.split('/').reverse()
      const path = resourcePath(resource, { name, ...(namespace === undefined ? {} : { namespace }) })
      return await this.#guarded(`get ${resource.resource}`, async () => {
        try {
          const object = await this.#options.client.request<KubernetesObject>(
            { verb: 'get', method: 'GET', path, signal, timeoutMs: requestTimeoutMs, maxBytes: maxObjectBytes })
          return present(factOf(object))
        } catch (error) {
          if (hasStatus(error, 404)) return absent
          throw error
        }
      })
    }
  }

  /** Turns a failure into `unknown`, and tells the log what the reason leaves out. */
  async #guarded<Value> (attempt: string, lookUp: () => Promise<Fact<Value>>): Promise<Fact<Value>> {
    try {
      return await lookUp()
    } catch (error) {
      const reason = failureReason(error, attempt)
      this.#options.log.warn({ attempt, reason, err: error }, 'a lookup failed')
      return unknown(reason)
    }
  }

  async #observed<Value> (kind: LookupKind, lookUp: () => Promise<Fact<Value>>): Promise<Fact<Value>> {
    const started = this.#now()
    const fact = await lookUp()
    this.#options.onLookup?.({ kind, result: fact.state, seconds: (this.#now() - started) / 1000 })
    return fact
  }
}
