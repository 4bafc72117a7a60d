import type { BaseLogger } from 'pino'
import type { ApiClient } from '../cluster/api-client.ts'
import { hasStatus } from '../cluster/api-error.ts'
import type { ApiServerOutage } from '../cluster/api-server-outage.ts'
import type { KindName } from '../cluster/kinds.ts'
import { objectKey, type KubernetesObject } from '../cluster/kubernetes-object.ts'
import type { WatchCacheEvent } from '../cluster/watch-cache.ts'
import { kind as dittoServerKind } from '../dittoserver/api.ts'
import { readDittoServer } from '../dittoserver/dittoserver.ts'
import { NotLeading } from '../leader-election/leader-election.ts'
import { secretUses } from '../render/secret-uses.ts'
import type { Policy } from '../rules/policy.ts'
import { LiveObjects } from './live-objects.ts'
import { Queue, type QueueObserver } from './queue.ts'
import { Reconciler } from './reconcile.ts'

export interface ControllerOptions {
  readonly client: ApiClient
  readonly log: Pick<BaseLogger, 'info' | 'warn' | 'error' | 'debug'>
  readonly outage: ApiServerOutage
  readonly policy: Policy
  /** Servers worked on at once. */
  readonly concurrency: number
  readonly namespace?: string
  /** Throws when another process leads. */
  readonly fence: () => void
  readonly observer?: QueueObserver
  readonly onWatch?: (kind: KindName, event: WatchCacheEvent) => void
}

/** Watches everything that has to do with servers, and has each looked at whenever something about it changes. */
export class Controller {
  readonly #live: LiveObjects
  readonly #queue: Queue
  readonly #log: ControllerOptions['log']
  readonly #secretNames = new WeakMap<KubernetesObject, ReadonlySet<string>>()
  #working = false

  constructor (options: ControllerOptions) {
    const { client, log, outage, policy, concurrency, namespace, fence, observer, onWatch } = options
    this.#log = log
    this.#live = new LiveObjects({
      client, log, outage, ...(namespace === undefined ? {} : { namespace }), ...(onWatch ? { onWatch } : {}),
    })
    const reconciler = new Reconciler({ client, live: this.#live, log, policy, fence })
    this.#queue = new Queue({
      concurrency,
      worker: async (key, signal) => await reconciler.reconcile(key, signal),
      onFailure: (key, error, retryInMs) => {
        const level = hasStatus(error, 409) || error instanceof NotLeading ? 'debug' : 'warn'
        log[level]({ server: key, cause: (error as Error).message, retryInMs: Math.round(retryInMs) }, 'to be tried again')
      },
      ...(observer ? { observer } : {}),
    })
  }

  /** Begins to watch. Resolves when every kind is known; nothing is written before `lead`. */
  async watch (): Promise<void> {
    await this.#live.start()
  }

  /** From now on this process does the work. */
  lead (): void {
    if (this.#working) return
    this.#working = true
    this.#live.onChange('DittoServer', change => {
      if (this.#live.isEcho(change.object)) return
      if (change.type !== 'modified' || isNews(change.previous, change.object)) this.#queue.add(change.key)
    })
    for (const kind of ['ConfigMap', 'Service', 'StatefulSet'] as const) {
      this.#live.onChange(kind, ({ object }) => this.#addOwner(object))
    }
    for (const kind of ['PersistentVolumeClaim', 'PerconaPGCluster'] as const) {
      this.#live.onChange(kind, ({ object: { metadata: { namespace = '', labels = {} } } }) => {
        if (labels.instance) this.#addKnown(`${namespace}/${labels.instance}`)
      })
    }
    this.#live.onChange('Secret', ({ object }) => {
      const { namespace = '', name } = object.metadata
      if (!this.#live.isEcho(object)) this.#addUsers(namespace, name)
    })
    this.#log.info({ servers: this.#live.list('DittoServer').length }, 'reconciling')
  }

  async stop (): Promise<void> {
    await this.#queue.stop()
    await this.#live.stop()
  }

  notReady (): readonly string[] { return this.#live.notReady() }
  watches () { return this.#live.watches() }
  get depth (): number { return this.#queue.depth }

  #addOwner (object: KubernetesObject): void {
    if (this.#live.isEcho(object)) return
    const { metadata: { namespace = '', ownerReferences = [] } } = object
    const owner = ownerReferences.find(({ controller, kind }) => controller === true && kind === dittoServerKind)
    if (owner) this.#addKnown(`${namespace}/${owner.name}`)
  }

  #addKnown (key: string): void {
    const [namespace = '', name = ''] = key.split('/')
    if (this.#live.get('DittoServer', namespace, name)) this.#queue.add(key)
  }

  /** A Secret has no owner to go by: whoever names it is looked at. */
  #addUsers (namespace: string, secret: string): void {
    for (const object of this.#live.list('DittoServer')) {
      if (object.metadata.namespace !== namespace) continue
      if (this.#secretsOf(object).has(secret)) this.#queue.add(objectKey(object.metadata))
    }
  }

  /** Read once for each version of an object, not for each Secret of the cluster. */
  #secretsOf (object: KubernetesObject): ReadonlySet<string> {
    const known = this.#secretNames.get(object)
    if (known) return known
    const names = new Set(secretUses(readDittoServer(object).server).map(({ secret }) => secret))
    this.#secretNames.set(object, names)
    return names
  }
}

/** A status that we wrote ourselves is no news. */
function isNews (before: KubernetesObject, after: KubernetesObject): boolean {
  const [a, b] = [before.metadata, after.metadata]
  return a.uid !== b.uid || a.generation !== b.generation || a.deletionTimestamp !== b.deletionTimestamp ||
    JSON.stringify([a.finalizers, a.annotations]) !== JSON.stringify([b.finalizers, b.annotations])
}
