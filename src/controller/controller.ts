import type { BaseLogger } from 'pino'
import { systemClock, type Clock } from '../clock.ts'
import type { ApiClient } from '../cluster/api-client.ts'
import { hasStatus } from '../cluster/api-error.ts'
import type { ApiServerOutage } from '../cluster/api-server-outage.ts'
import type { KindName } from '../cluster/kinds.ts'
import { objectKey, type KubernetesObject } from '../cluster/kubernetes-object.ts'
import type { Change } from '../cluster/object-store.ts'
import type { WatchCacheEvent } from '../cluster/watch-cache.ts'
import { kind as dittoServerKind } from '../dittoserver/api.ts'
import { NotLeading } from '../leader-election/leader-election.ts'
import { systemRandom, type Random } from '../random.ts'
import type { Policy } from '../rules/policy.ts'
import { Caches } from './caches.ts'
import { EventRecorder } from './event-recorder.ts'
import { isSameReport } from './pod-state.ts'
import { Queue, type QueueObserver } from './queue.ts'
import { Reconciler } from './reconcile.ts'
import type { SecretAccess } from './secret-access.ts'
import type { FindStorageClass } from './observe.ts'
import { SecretIndex } from './secret-index.ts'

export interface ControllerOptions {
  readonly client: ApiClient
  readonly log: Pick<BaseLogger, 'info' | 'warn' | 'error' | 'debug'>
  readonly outage: ApiServerOutage
  readonly policy: Policy
  /** Absent: StorageClasses are not checked. */
  readonly storageClass?: FindStorageClass | undefined
  /** Number of servers that are reconciled concurrently. */
  readonly concurrency: number
  readonly namespace?: string
  readonly secretAccess?: SecretAccess
  /** Throws when another process is the leader. */
  readonly fence: () => void
  readonly observer?: QueueObserver
  readonly clock?: Clock
  readonly random?: Random
  readonly onWatch?: (kind: KindName, event: WatchCacheEvent) => void
  /** Called when the spec of a server has changed, but not for servers that this process sees for the first time. */
  readonly onSpecChange?: (() => void) | undefined
}

/** Every server is reconciled once in this time, even without an event: the same period as in controller-runtime. Milliseconds. */
const resyncPeriod = 10 * 3600_000
/** How often Secrets are read if they are not watched. */
const secretPollPeriod = 60_000

/** Watches everything that concerns servers, and reconciles a server when something about it changes. */
export class Controller {
  readonly #caches: Caches
  readonly #events: EventRecorder
  readonly #reconciler: Reconciler
  readonly #queue: Queue
  readonly #secretIndex = new SecretIndex()
  readonly #log: ControllerOptions['log']
  readonly #clock: Clock
  readonly #random: Random
  readonly #onSpecChange: ControllerOptions['onSpecChange']
  readonly #stopping = new AbortController()
  #leads = false

  /** Whether a stored server refers to the Secret. */
  readonly namesSecret = (namespace: string, name: string): boolean => this.#secretIndex.names(objectKey({ namespace, name }))

  constructor (options: ControllerOptions) {
    const { client, log, outage, policy, concurrency, namespace, secretAccess = 'watch', fence, observer, onWatch, storageClass } = options
    const { clock = systemClock, random = systemRandom } = options
    this.#log = log
    this.#onSpecChange = options.onSpecChange
    this.#clock = clock
    this.#random = random
    this.#caches = new Caches({
      client, log, outage, clock, random, secretAccess, ...(namespace === undefined ? {} : { namespace }), ...(onWatch ? { onWatch } : {}),
    })
    this.#events = new EventRecorder({ client, log, clock, random, fence })
    this.#reconciler = new Reconciler({
      client, caches: this.#caches, log, policy, storageClass, fence, clock, events: this.#events, ...(secretAccess === 'get' ? { pollEvery: secretPollPeriod } : {}),
    })
    this.#queue = new Queue({
      concurrency,
      clock,
      random,
      worker: async (key, signal, failures) => await this.#reconciler.reconcile(key, signal, failures),
      onFailure: (key, error, retryInMs) => {
        const isExpected = hasStatus(error, 409) || error instanceof NotLeading
        log[isExpected ? 'debug' : 'warn']({ server: key, cause: (error as Error).message, retryInMs: Math.round(retryInMs) }, 'reconcile failed, will retry')
      },
      ...(observer ? { observer } : {}),
    })
    this.#wakeUps()
  }

  /** Starts the watches. Resolves when every kind is known; nothing is written before `lead`. */
  async watch (): Promise<void> {
    await this.#caches.start()
  }

  /** From now on this process reconciles. */
  lead (): void {
    if (this.#leads) return
    this.#leads = true
    this.#addAll()
    void this.#resync()
    this.#log.info({ servers: this.#caches.list('DittoServer').length }, 'reconciling')
  }

  async stop (): Promise<void> {
    this.#stopping.abort()
    await this.#queue.stop()
    await this.#events.stop()
    await this.#caches.stop()
  }

  stale (): readonly string[] { return this.#caches.stale() }
  watches () { return this.#caches.watches() }
  get depth (): number { return this.#queue.depth }

  /** The sizes of the collections of this process, by purpose. All of them may grow only with the cluster. */
  sizes () {
    const [queued, awaited, indexedSecrets] = [this.#queue.size, this.#reconciler.awaited, this.#secretIndex.size]
    return { cached: this.#caches.sizes(), queued, awaited, indexedSecrets }
  }

  /** The servers that a change of each kind enqueues. */
  #wakeUps (): void {
    this.#caches.onChange('DittoServer', change => {
      const { type, key, object } = change
      if (change.type === 'modified' && change.previous.metadata.generation !== object.metadata.generation) this.#onSpecChange?.()
      if (type === 'deleted') this.#secretIndex.delete(key)
      else this.#secretIndex.set(object)
      this.#add(key)
    })
    for (const kind of ['ConfigMap', 'Service', 'StatefulSet'] as const) {
      this.#caches.onChange(kind, change => { for (const object of statesOf(change)) this.#addOwner(object) })
    }
    // Claims and database clusters have no owner reference: their labels name the server.
    for (const kind of ['PersistentVolumeClaim', 'PerconaPGCluster'] as const) {
      this.#caches.onChange(kind, change => {
        for (const { metadata: { namespace = '', labels = {} } } of statesOf(change)) {
          if (labels.instance) this.#addKnown(`${namespace}/${labels.instance}`)
        }
      })
    }
    this.#caches.onChange('CustomResourceDefinition', () => {
      for (const object of this.#caches.list('DittoServer')) if (usesPercona(object)) this.#add(objectKey(object.metadata))
    })
    this.#caches.onChange('Pod', change => {
      const { namespace = '', labels = {} } = change.object.metadata
      const isNews = change.type !== 'modified' || !isSameReport(change.previous, change.object)
      if (labels.instance && isNews) this.#addKnown(`${namespace}/${labels.instance}`)
    })
    this.#caches.onChange('Secret', change => {
      for (const object of statesOf(change)) this.#addOwner(object)
      for (const server of this.#secretIndex.users(change.key)) this.#add(server)
    })
  }

  #add (key: string): void {
    if (this.#leads) this.#queue.add(key)
  }

  #addKnown (key: string): void {
    const [namespace = '', name = ''] = key.split('/')
    if (this.#leads && this.#caches.get('DittoServer', namespace, name)) this.#queue.add(key)
  }

  #addOwner ({ metadata: { namespace = '', ownerReferences = [] } }: KubernetesObject): void {
    const owner = ownerReferences.find(({ controller, kind }) => controller === true && kind === dittoServerKind)
    if (owner) this.#addKnown(`${namespace}/${owner.name}`)
  }

  #addAll (): void {
    for (const object of this.#caches.list('DittoServer')) this.#queue.add(objectKey(object.metadata))
  }

  /** Repairs changes that no event reported. */
  async #resync (): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await this.#clock.sleep(resyncPeriod * (0.9 + this.#random() * 0.2), signal)
      if (!signal.aborted) this.#addAll()
    }
  }
}

/** The states before and after a change. If a label or an owner reference was removed, only the state before names the server. */
const statesOf = (change: Change<KubernetesObject>): readonly KubernetesObject[] =>
  change.type === 'modified' ? [change.previous, change.object] : [change.object]

const usesPercona = ({ spec }: KubernetesObject) => (spec as { percona?: { enabled?: boolean } } | undefined)?.percona?.enabled === true
