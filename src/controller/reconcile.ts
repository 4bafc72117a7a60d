import { isDeepStrictEqual } from 'node:util'
import type { BaseLogger } from 'pino'
import type { ApiClient } from '../cluster/api-client.ts'
import { hasStatus } from '../cluster/api-error.ts'
import { mergePatchRequest } from '../cluster/api-requests.ts'
import { failureReason } from '../cluster/failure-reason.ts'
import { kinds } from '../cluster/kinds.ts'
import { objectKey, type KubernetesObject } from '../cluster/kubernetes-object.ts'
import { resourcePath } from '../cluster/resource-path.ts'
import { fieldManager, finalizer } from '../dittoserver/api.ts'
import { readDittoServer, type DittoServer } from '../dittoserver/dittoserver.ts'
import type { DittoServerStatus } from '../dittoserver/schema.ts'
import { childNames } from '../render/names.ts'
import type { Policy } from '../rules/policy.ts'
import { Applier, ForeignObject } from './apply.ts'
import { occurrencesBetween, recordEvent, type Occurrence } from './events.ts'
import { ensureFinalizer, finalize } from './finalize.ts'
import { refusalOf } from './guard.ts'
import type { LiveObjects } from './live-objects.ts'
import { observeStatefulSet, Pass } from './pass.ts'
import { PodSecrets } from './pod-secrets.ts'
import { statusOf, type Observation, type Observed } from './status.ts'

export interface ReconcilerOptions {
  readonly client: ApiClient
  readonly live: LiveObjects
  readonly log: Pick<BaseLogger, 'info' | 'warn' | 'error' | 'debug'>
  readonly policy: Policy
  /** Throws when another process leads: nothing may be written then. */
  readonly fence: () => void
  readonly now?: () => Date
}

export interface Outcome {
  /** Milliseconds after which to look again, whatever happens. */
  readonly requeueAfter?: number
}

/** Said of the configuration when nothing is known to be wrong with it. */
const configValid: Observation = { status: 'True', reason: 'ConfigValid', message: 'The configuration is in place.' }
const unknownYet: Observation = { status: 'Unknown', reason: 'Pending', message: 'Not looked at yet.' }

/** Brings one server after another to what its spec says. Level-based: what happened before does not matter, only what is. */
export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #applier: Applier
  readonly #secrets: PodSecrets

  constructor (options: ReconcilerOptions) {
    this.#options = options
    this.#applier = new Applier(options.client, options.live)
    this.#secrets = new PodSecrets(options.client, options.live)
  }

  /** One pass over the server `namespace/name`. @throws when it must be tried again */
  async reconcile (key: string, signal: AbortSignal): Promise<Outcome> {
    const [namespace = '', name = ''] = key.split('/')
    const object = this.#options.live.get('DittoServer', namespace, name)
    if (!object) {
      this.#secrets.forget(key)
      return {}
    }
    const { server } = readDittoServer(object)
    if (server.metadata.deletionTimestamp) return await this.#delete(server, signal)
    if (await ensureFinalizer(object, server, this.#context(signal))) {
      await this.#record(server, [{ type: 'Normal', reason: 'Created', action: 'Create', note: 'DittoServer created' }])
    }
    const observed = await this.#bringAbout(object, server, signal)
    await this.#writeStatus(server, statusOf(server, observed, this.#now()), signal)
    if (observed.failure !== undefined) {
      this.#secrets.forget(objectKey(server.metadata))
      throw new Error(observed.failure)
    }
    return awaitsOthers(observed) ? { requeueAfter: 15_000 } : {}
  }

  /** Never throws: what went wrong is part of what was observed, so that the status always tells. */
  async #bringAbout (object: KubernetesObject, server: DittoServer, signal: AbortSignal): Promise<Observed> {
    const { live, policy } = this.#options
    const { namespace, name } = server.metadata
    const statefulSet = () => observeStatefulSet(live.get('StatefulSet', namespace, childNames(name).statefulSet))
    const refusal = refusalOf(object, server, policy, live.get('StatefulSet', namespace, name))
    if (refusal) {
      const { condition, observation } = refusal
      const base = { config: configValid, storage: unknownYet, ...statefulSet() }
      return { ...base, [condition]: observation, stalled: { ...observation, status: 'True' } }
    }
    const pass = new Pass({ ...this.#context(signal), secrets: this.#secrets, server })
    try {
      await pass.run()
      return { ...pass.observed(), ...statefulSet() }
    } catch (error) {
      this.#options.fence()
      // Somebody was faster, or this process ends: no failure to tell anyone about. The next pass sees what there is.
      if (signal.aborted || hasStatus(error, 409)) throw error
      return { ...pass.observed(), ...statefulSet(), ...this.#explain(error, server) }
    }
  }

  #explain (error: unknown, { metadata: { namespace, name } }: DittoServer): Partial<Observed> {
    const reason = error instanceof ForeignObject ? error.name : failureReason(error, 'reconcile')
    this.#options.log.warn({ namespace, name, err: error, reason }, 'pass failed')
    if (error instanceof ForeignObject) return { config: { status: 'False', reason: 'ForeignObject', message: error.message }, failure: error.message }
    return { failure: error instanceof Error ? error.message : reason }
  }

  async #delete (seen: DittoServer, signal: AbortSignal): Promise<Outcome> {
    if (!seen.metadata.finalizers.includes(finalizer)) return {}
    const { live } = this.#options
    const { namespace, name } = seen.metadata
    if (seen.status?.phase !== 'Deleting') {
      await this.#patchStatus(seen, { phase: 'Deleting' }, signal)
      await this.#record(seen, [{ type: 'Normal', reason: 'Deleting', action: 'Delete', note: 'DittoServer is being deleted' }])
    }
    const object = await live.read('DittoServer', namespace, name, signal)
    if (!object || object.metadata.uid !== seen.metadata.uid) return {}
    const { server } = readDittoServer(object)
    if (!server.metadata.finalizers.includes(finalizer)) return {}
    const cluster = await live.read('PerconaPGCluster', namespace, childNames(name).perconaCluster, signal)
    await this.#record(server, await finalize(object, server, cluster ? [cluster] : [], this.#context(signal)))
    return {}
  }

  async #writeStatus (server: DittoServer, status: DittoServerStatus, signal: AbortSignal): Promise<void> {
    const before: Partial<DittoServerStatus> = server.status ?? {}
    if (isDeepStrictEqual(before, status)) return
    const gone = Object.keys(before).filter(key => !(key in status))
    await this.#patchStatus(server, { ...status, ...Object.fromEntries(gone.map(key => [key, null])) }, signal)
    await this.#record(server, occurrencesBetween(before.conditions ?? [], status.conditions ?? []))
  }

  async #patchStatus (server: DittoServer, status: object, signal: AbortSignal): Promise<void> {
    const { client, live, fence } = this.#options
    const { namespace, name } = server.metadata
    fence()
    const path = resourcePath(kinds.DittoServer, { namespace, name, subresource: 'status' })
    live.wrote('DittoServer', await client.request<KubernetesObject>({ ...mergePatchRequest(path, { status }, fieldManager), signal }))
  }

  /** An event that cannot be recorded is a pity, and no reason to do anything twice. */
  async #record (server: DittoServer, occurrences: readonly Occurrence[]): Promise<void> {
    for (const occurrence of occurrences) {
      await recordEvent(this.#options.client, server, occurrence, this.#now()).catch((error: unknown) => {
        const { namespace, name } = server.metadata
        this.#options.log.warn({ namespace, name, reason: occurrence.reason, err: error }, 'event not recorded')
      })
    }
  }

  #context (signal: AbortSignal) {
    const { client, live, fence } = this.#options
    return { client, live, applier: this.#applier, signal, fence }
  }

  #now (): Date { return this.#options.now?.() ?? new Date() }
}

/** Nothing that is watched tells when a CRD is installed, or a StorageClass made expandable. */
const awaitsOthers = ({ database, storage }: Observed) => database?.status === 'False' || storage.reason === 'ExpansionRefused'
