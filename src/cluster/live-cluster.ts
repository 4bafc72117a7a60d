import { systemClock, type Clock } from '../clock.ts'
import { group, percona, plural, version } from '../dittoserver/api.ts'
import { perconaClusterFact } from '../percona/existing-cluster.ts'
import { versionOnCrd } from '../percona/installed-version.ts'
import { absent, present, unknown } from '../rules/facts.ts'
import { ApiServerOutage } from './api-server-outage.ts'
import { hasStatus } from './api-error.ts'
import { metadataOf } from './collection.ts'
import { served } from './discovery.ts'
import { failureReason } from './failure-reason.ts'
import { kinds } from './kinds.ts'
import { isNamespaceName, isObjectName } from './object-name.ts'
import { resourcePath } from './resource-path.ts'
import { secretFact, secretResource } from './secret.ts'
import { SecretLimit } from './secret-limit.ts'
import { SharedLookup } from './shared-lookup.ts'
import { storageClassFact, storageClassResource } from './storage-class.ts'
import { WatchCache } from './watch-cache.ts'
import type { Fact, PerconaClusterFact, PerconaOperatorFact, SecretFact, StorageClassFact } from '../rules/facts.ts'
import type { ApiClient } from './api-client.ts'
import type { Cluster } from './cluster.ts'
import type { ClusterLog } from './cluster-log.ts'
import type { KubernetesObject } from './kubernetes-object.ts'
import type { Resource } from './resource-path.ts'
import type { SecretLimitOptions } from './secret-limit.ts'
import type { WatchCacheEvent, WatchTiming } from './watch-cache.ts'

export type LookupKind = 'StorageClass' | 'Secret' | 'PerconaPGCluster' | 'CustomResourceDefinition' | 'DittoServer'

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
  readonly clock?: Clock
  /** Called for every answer, including answers from the cache. */
  readonly onLookup?: (lookup: Lookup) => void
  readonly onWatch?: (event: WatchCacheEvent) => void
  /** Which Secrets may be looked up; absent: all. */
  readonly secrets?: Omit<SecretLimitOptions, 'now'>
}

/** No request lasts longer than the longest admission (the API server allows 30 s), whatever the signals of its callers do. */
const requestTimeoutMs = 10_000
const reuseMs = 2000
/**
 * Maximum number of cached lookups, a few hundred bytes each. A burst of 1,000 different Secrets within two seconds exceeds any real load.
 */
const maxReused = 1000
/** A Secret contains at most 1 MiB, in base64, and `metadata` at most 256 KiB of annotations. */
const maxObjectBytes = 4 * 1024 * 1024

const perconaResource: Resource = { group: percona.group, version: percona.version, resource: percona.plural }
const dittoServerResource: Resource = { group, version, resource: plural }

/**
 * The cluster behind an API server. StorageClasses come from a watch. Because a watch lags, a miss is confirmed by a live read. Secrets are
 * read by name; only the lengths of their values are kept, for two seconds.
 */
export class LiveCluster implements Cluster {
  readonly #options: LiveClusterOptions
  readonly #now: () => number
  readonly #classes: WatchCache<StorageClassFact>
  readonly #liveClass: SharedLookup<StorageClassFact>
  readonly #liveSecret: SharedLookup<SecretFact>
  readonly #secretLimit: SecretLimit | undefined
  readonly #liveServed: SharedLookup<true>
  readonly #liveOperator: SharedLookup<PerconaOperatorFact>
  readonly #liveCluster: SharedLookup<PerconaClusterFact>
  #sortedClasses: readonly StorageClassFact[] | undefined

  constructor (options: LiveClusterOptions) {
    const { client, log, clock = systemClock, outage = new ApiServerOutage(log, clock), timing = {}, onWatch } = options
    this.#options = options
    const now = () => clock.monotonic()
    this.#now = now
    this.#classes = new WatchCache({
      client,
      log,
      outage,
      timing,
      clock,
      path: resourcePath(storageClassResource),
      transform: storageClassFact,
      observe: event => onWatch?.(event),
    })
    this.#classes.onChange(() => { this.#sortedClasses = undefined })
    // The watch knows which StorageClasses exist. A live answer is shared by concurrent callers, but not cached.
    this.#liveClass = new SharedLookup({ fetch: this.#reading(storageClassResource, storageClassFact), reuseMs: 0, maxEntries: 1, now })
    this.#liveSecret = new SharedLookup({ fetch: this.#reading(secretResource, secretFact), reuseMs, maxEntries: maxReused, now })
    this.#secretLimit = options.secrets && new SecretLimit({ ...options.secrets, now })
    this.#liveServed = new SharedLookup({
      fetch: (_key, signal) => this.#guarded(`get ${percona.group}`, () => served(client, perconaResource, signal, requestTimeoutMs)),
      reuseMs,
      maxEntries: 1,
      now,
    })
    // Only the labels: the whole CRD is larger than a megabyte.
    const operator = this.#reading(kinds.CustomResourceDefinition, crd => ({ version: versionOnCrd(crd) }), metadataOf('PartialObjectMetadata'))
    this.#liveOperator = new SharedLookup({ fetch: operator, reuseMs, maxEntries: 1, now })
    const cluster = this.#reading(kinds.PerconaPGCluster, perconaClusterFact)
    this.#liveCluster = new SharedLookup({ fetch: cluster, reuseMs, maxEntries: maxReused, now })
  }

  async start (): Promise<void> {
    await this.#classes.start()
  }

  async stop (): Promise<void> {
    await this.#classes.stop()
  }

  /**
   * Without permission to watch StorageClasses, the cache does not count as stale. Each lookup is then a live read, and only the list of
   * names in messages is missing. Waiting would not help. (The watch logs the refusal as an error, and retries periodically.)
   */
  stale (): string | undefined {
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
    return this.#observed('StorageClass', () => isObjectName(name) ? this.#liveClass.find(name, signal) : absent)
  }

  storageClasses (): Fact<readonly StorageClassFact[]> {
    const reason = this.#distrust()
    if (reason !== undefined) return unknown(reason)
    this.#sortedClasses ??= this.#classes.list().sort((a, b) => a.name < b.name ? -1 : 1)
    return present(this.#sortedClasses)
  }

  secret (namespace: string, name: string, signal: AbortSignal): Fact<SecretFact> | Promise<Fact<SecretFact>> {
    return this.#observed('Secret', () => {
      if (!isNamespaceName(namespace) || !isObjectName(name)) return absent
      const refusal = this.#secretLimit?.refusal(namespace, name)
      return refusal === undefined ? this.#liveSecret.find(`${namespace}/${name}`, signal) : unknown(refusal)
    })
  }

  perconaServed (signal: AbortSignal): Fact<true> | Promise<Fact<true>> {
    return this.#observed('PerconaPGCluster', () => this.#liveServed.find('', signal))
  }

  perconaOperator (signal: AbortSignal): Fact<PerconaOperatorFact> | Promise<Fact<PerconaOperatorFact>> {
    return this.#observed('CustomResourceDefinition', () => this.#liveOperator.find(percona.crdName, signal))
  }

  perconaCluster (namespace: string, name: string, signal: AbortSignal): Fact<PerconaClusterFact> | Promise<Fact<PerconaClusterFact>> {
    return this.#observed('PerconaPGCluster', () =>
      isNamespaceName(namespace) && isObjectName(name) ? this.#liveCluster.find(`${namespace}/${name}`, signal) : absent)
  }

  /** Whether DittoServers are served: checked once at start, to report clearly that the CRD is missing. */
  async crdInstalled (signal: AbortSignal): Promise<Fact<true>> {
    return await this.#observed('DittoServer', async () => await this.#guarded(`get ${group}`, () =>
      served(this.#options.client, dittoServerResource, signal, requestTimeoutMs)))
  }

  /** Why the watched StorageClasses cannot be relied on at the moment. */
  #distrust (): string | undefined {
    const state = this.#classes.state()
    if (state === 'forbidden') return 'forbidden: no permission to watch storageclasses'
    return state === 'stopped' ? 'stopped' : this.#classes.stale(this.#now())
  }

  /** A live read of one object by its key. */
  #reading<Value> (resource: Resource, factOf: (object: KubernetesObject) => Value, accept?: string) {
    const request = {
      verb: 'get', method: 'GET', timeoutMs: requestTimeoutMs, maxBytes: maxObjectBytes, ...(accept === undefined ? {} : { accept }),
    } as const
    return async (key: string, signal: AbortSignal): Promise<Fact<Value>> => {
      const [name = '', namespace] = key.split('/').reverse()
      const path = resourcePath(resource, { name, ...(namespace === undefined ? {} : { namespace }) })
      return await this.#guarded(`get ${resource.resource}`, async () => {
        try {
          const object = await this.#options.client.request<KubernetesObject>({ ...request, path, signal })
          return present(factOf(object))
        } catch (error) {
          if (hasStatus(error, 404)) return absent
          throw error
        }
      })
    }
  }

  /** Converts a failure to `unknown`, and logs the details that the reason omits. */
  async #guarded<Value> (attempt: string, lookUp: () => Promise<Fact<Value>>): Promise<Fact<Value>> {
    try {
      return await lookUp()
    } catch (error) {
      const reason = failureReason(error, attempt)
      this.#options.log.warn({ attempt, reason, err: error }, 'a lookup failed')
      return unknown(reason)
    }
  }

  /** Where the answer is known, no promise is made: a review whose facts are all known is answered at once. */
  #observed<Value> (kind: LookupKind, lookUp: () => Fact<Value> | Promise<Fact<Value>>): Fact<Value> | Promise<Fact<Value>> {
    const started = this.#now()
    const observe = (fact: Fact<Value>) => {
      this.#options.onLookup?.({ kind, result: fact.state, seconds: (this.#now() - started) / 1000 })
      return fact
    }
    const fact = lookUp()
    return fact instanceof Promise ? fact.then(observe) : observe(fact)
  }
}
