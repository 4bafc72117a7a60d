import { isDeepStrictEqual } from 'node:util'
import type { BaseLogger } from 'pino'
import type { Clock } from '../clock.ts'
import type { ApiClient } from '../cluster/api-client.ts'
import { hasStatus } from '../cluster/api-error.ts'
import type { DittoServerStatus } from '../dittoserver/schema.ts'
import { NotLeading } from '../leader-election/leader-election.ts'
import type { Policy } from '../rules/policy.ts'
import type { Caches } from './caches.ts'
import type { EventRecorder } from './event-recorder.ts'
import { occurrencesBetween } from './events.ts'
import { Observer, type FindStorageClass, type Reply } from './observe.ts'
import type { Observed } from './observed.ts'
import { plan, type Plan } from './plan/plan.ts'
import type { WorkResult } from './queue.ts'
import { findingsOf } from './report.ts'
import { statusOf, type Findings } from './status.ts'
import type { StepResult } from './step.ts'
import { Writer, type WriteContext } from './writer.ts'
import { WrittenVersions } from './written-versions.ts'

export interface ReconcilerOptions {
  readonly client: Pick<ApiClient, 'request'>
  readonly caches: Caches
  readonly log: Pick<BaseLogger, 'info' | 'warn' | 'error' | 'debug'>
  readonly policy: Policy
  readonly storageClass?: FindStorageClass | undefined
  readonly clock: Clock
  readonly events: Pick<EventRecorder, 'record'>
  /** Throws when another process is the leader: nothing may be written then. */
  readonly fence: () => void
  /** Milliseconds between passes if some changes are not watched; undefined: everything is watched. */
  readonly pollEvery?: number
}

/** How long a pass waits for the watches to show the writes of this process. After that it reads by name. */
const watchPatience = 5_000
/** No watch reports that a StorageClass is created or made expandable, or that a claim may be resized. */
const othersPeriod = 15_000
/**
 * The maximum number of planning rounds. Planning continues if the next steps depend on results, such as Secrets and objects that were read
 * by name.
 */
const mostRounds = 12

/** Reconciles one server at a time with its spec. Level-based: only the current state matters, not the events before it. */
export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #observer: Observer
  readonly #writer: Writer
  readonly #written = new WrittenVersions()

  constructor (options: ReconcilerOptions) {
    const { client, caches, fence, clock, storageClass } = options
    this.#options = options
    this.#observer = new Observer({ client, caches, storageClass })
    this.#writer = new Writer({
      client, fence, onWritten: (server, kind, reply) => { this.#written.record(server, kind, reply, clock.monotonic()) },
    })
  }

  /** Number of servers whose own writes the watches have not shown yet. */
  get awaited (): number { return this.#written.size }

  /**
   * One pass over the server `namespace/name`. `failures`: number of consecutive failed passes before this one. @throws when the pass must
   * be retried
   */
  async reconcile (server: string, signal: AbortSignal, failures = 0): Promise<WorkResult> {
    const { caches, clock, policy } = this.#options
    const [namespace = '', name = ''] = server.split('/')
    const { kinds: byName, since } = this.#written.behind(server, kind => caches.resourceVersion(kind))
    const waited = clock.monotonic() - since
    // The watch event that ends the wait also enqueues the server.
    if (byName.size > 0 && waited < watchPatience) return { requeueAfter: watchPatience - waited, waiting: true }

    const observed = await this.#observer.observe(namespace, name, { signal, byName })
    if (!observed) {
      this.#written.forget(server)
      return {}
    }
    const pass = await this.#bringAbout(observed, policy, { server, namespace, signal })
    return await this.#report(pass, { server, namespace, signal }, failures)
  }

  /** observe → plan → apply, and again while the results determine the next steps. */
  async #bringAbout (first: Observed, policy: Policy, context: WriteContext): Promise<Pass> {
    const results: StepResult[] = []
    let observed = first
    for (let round = 1; ; round++) {
      const planned = plan(observed, policy)
      const done = await this.#writer.carryOut(planned.steps, context)
      results.push(...done)
      observed = await this.#observer.after(observed, repliesIn(done), context.signal)
      const last = done.at(-1)
      const asks = last?.outcome === 'exists' ? [last.step] : planned.asks
      const continues = asks.length > 0 || (planned.stop?.why === 'continues' && last?.outcome !== 'failed')
      if (!continues || last?.outcome === 'failed') return { first, observed, planned, results }
      if (round === mostRounds) throw new Error(`the plan does not converge: ${asks.map(({ kind, name }) => `${kind} ${name}`).join(', ')}`)
      if (last?.outcome === 'exists') results.pop()
      observed = await this.#observer.look(observed, asks, context.signal)
    }
  }

  async #report ({ first, observed, planned, results }: Pass, context: WriteContext, failures: number): Promise<WorkResult> {
    const failed = results.find(({ outcome }) => outcome === 'failed')
    const error = failed?.outcome === 'failed' ? failed.error : undefined
    context.signal.throwIfAborted()
    if (error instanceof NotLeading) throw error
    // Another client wrote first; the next pass sees the result. A conflict that persists is reported.
    if (hasStatus(error, 409) && failures < 3) throw error
    for (const result of results) if (result.outcome === 'done' && result.step.event) this.#record(observed, [result.step.event])
    if (planned.stop?.why === 'deleting') return await this.#reportDeletion(first, context, error)

    const findings = findingsOf(observed, planned, results)
    await this.#writeStatus(first, observed, findings, context)
    if (error !== undefined) throw error
    if (findings.failure !== undefined) throw new Error(findings.failure)
    const period = awaitsOthers(findings) ? othersPeriod : this.#options.pollEvery
    return period === undefined ? {} : { requeueAfter: period }
  }

  async #reportDeletion ({ object, server }: Observed, context: WriteContext, error: unknown): Promise<WorkResult> {
    if (error !== undefined) throw error
    if (server.status?.phase === 'Deleting' || server.metadata.finalizers.length === 0) return {}
    await this.#writer.patchStatus(object, { phase: 'Deleting' }, context)
    this.#options.events.record(server, { type: 'Normal', reason: 'Deleting', action: 'Delete', note: 'DittoServer is being deleted' })
    return {}
  }

  async #writeStatus (first: Observed, observed: Observed, findings: Findings, context: WriteContext): Promise<void> {
    const { object, server } = observed
    const before: Partial<DittoServerStatus> = server.status ?? {}
    const after = statusOf(server, findings, this.#options.clock.wall())
    if (isDeepStrictEqual(before, after)) return
    const gone = Object.keys(before).filter(key => !(key in after))
    await this.#writer.patchStatus(object, { ...after, ...Object.fromEntries(gone.map(key => [key, null])) }, context)
    this.#record(first, occurrencesBetween(before.conditions ?? [], after.conditions ?? []))
  }

  #record ({ server }: Observed, occurrences: readonly Parameters<EventRecorder['record']>[1][]): void {
    for (const occurrence of occurrences) this.#options.events.record(server, occurrence)
  }
}

interface Pass {
  readonly first: Observed
  /** Includes the results of the steps. */
  readonly observed: Observed
  readonly planned: Plan
  readonly results: readonly StepResult[]
}

const repliesIn = (results: readonly StepResult[]): Reply[] =>
  results.flatMap(result => result.outcome === 'done' && result.step.do !== 'rehearse' ? [[result.step, result.object] as const] : [])

const awaitsOthers = ({ database, storage }: Findings) =>
  (database !== undefined && database !== 'kept' && database.status === 'False') || (storage !== 'kept' && (storage.reason === 'ExpansionRefused' || storage.reason === 'StorageClassMissing'))
