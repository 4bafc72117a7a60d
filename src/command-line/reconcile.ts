import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Logger } from 'pino'
import { systemClock, type Clock } from '../clock.ts'
import type { ApiClient } from '../cluster/api-client.ts'
import { ApiServerOutage } from '../cluster/api-server-outage.ts'
import { withDeadline } from '../cluster/deadline.ts'
import type { SecretAccess } from '../controller/secret-access.ts'
import { Controller } from '../controller/controller.ts'
import type { FindStorageClass } from '../controller/observe.ts'
import { LeaderElection } from '../leader-election/leader-election.ts'
import { apiLeaseStore } from '../leader-election/lease.ts'
import type { Metrics } from '../metrics.ts'
import { systemRandom, type Random } from '../random.ts'
import type { Policy } from '../rules/policy.ts'
import { StartUpError } from './fault.ts'
import { ownNamespace } from './own-namespace.ts'

export interface ReconcileOptions {
  readonly concurrency: number
  readonly watchNamespace?: string
  readonly secretAccess: SecretAccess
  readonly leaderElect: boolean
  readonly leaderElectionNamespace?: string
  readonly leaderElectionId: string
}

export interface ReconcileContext {
  readonly log: Logger
  readonly metrics: Metrics
  readonly policy: Policy
  readonly client: ApiClient
  readonly storageClass: FindStorageClass
  /** Resolves when the cluster answers and has the CRD. */
  readonly known: Promise<void>
  readonly clock?: Clock
  readonly random?: Random
}

/** Starts to reconcile when the cluster is known and this process is the leader. */
export function startController (options: ReconcileOptions, context: ReconcileContext) {
  const { concurrency, watchNamespace, secretAccess } = options
  const { log, metrics, policy, client, storageClass, known, clock = systemClock, random = systemRandom } = context
  const election = options.leaderElect ? electionOf(options, { client, log, clock, random }) : undefined
  metrics.leading(options.leaderElectionId, () => election?.isLeading() ?? true)
  const controller = new Controller({
    client,
    log,
    outage: new ApiServerOutage(log, clock),
    policy,
    storageClass,
    concurrency,
    secretAccess,
    ...(watchNamespace === undefined ? {} : { namespace: watchNamespace }),
    clock,
    random,
    fence: () => election?.fence(),
    observer: metrics.queue,
    onWatch: metrics.watchEvent,
    onSpecChange: metrics.dittoServerChanged,
  })
  metrics.watches(() => controller.watches())
  metrics.queue.depth(() => controller.depth)
  const stopping = new AbortController()
  const { promise: lost, reject: lose } = Promise.withResolvers<never>()
  const work = async () => {
    // An error of `known` is reported by the caller that waits for it.
    if (!await known.then(() => true, () => false)) return
    // Followers also run the watches, so that they can take over within seconds.
    await controller.watch()
    await election?.acquire(stopping.signal)
    if (stopping.signal.aborted) return
    controller.lead()
    await election?.hold(stopping.signal)
    if (election && !stopping.signal.aborted) lose(new StartUpError('leadership is lost: the Lease could not be renewed in time'))
  }
  const working = work().catch(lose)
  return {
    namesSecret: controller.namesSecret,
    stale: () => controller.stale(),
    /** Rejects when this process must end because another process may be the leader. */
    lost,
    stop: async () => {
      stopping.abort()
      await controller.stop()
      await working
      await withDeadline(clock, releasePatience, undefined, async signal => await election?.release(signal))
    },
  }
}

/** Milliseconds. A follower also takes over without it, but later. */
const releasePatience = 2_000

type ElectionContext = Required<Pick<ReconcileContext, 'client' | 'log' | 'clock' | 'random'>>

function electionOf ({ leaderElectionNamespace, leaderElectionId }: ReconcileOptions, context: ElectionContext): LeaderElection {
  const { client, log, clock, random } = context
  const namespace = leaderElectionNamespace ?? ownNamespace() ?? 'default'
  return new LeaderElection({
    store: apiLeaseStore(client, namespace, leaderElectionId),
    // The container of a pod may restart, so the pod name alone does not identify a process.
    identity: `${hostname()}_${randomUUID()}`,
    log,
    clock,
    random,
  })
}
