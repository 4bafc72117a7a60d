import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Logger } from 'pino'
import type { ApiClient } from '../cluster/api-client.ts'
import { ApiServerOutage } from '../cluster/api-server-outage.ts'
import { Controller } from '../controller/controller.ts'
import { LeaderElection } from '../leader-election/leader-election.ts'
import { apiLeaseStore } from '../leader-election/lease.ts'
import type { Metrics } from '../metrics.ts'
import type { Policy } from '../rules/policy.ts'
import { StartUpError } from './fault.ts'
import { ownNamespace } from './own-namespace.ts'

export interface ReconcileOptions {
  readonly concurrency: number
  readonly watchNamespace?: string
  readonly leaderElect: boolean
  readonly leaderElectionNamespace?: string
  readonly leaderElectionId: string
}

export interface ReconcileContext {
  readonly log: Logger
  readonly metrics: Metrics
  readonly policy: Policy
  readonly client: ApiClient
  /** Resolves when the cluster answers and has the CRD. */
  readonly known: Promise<void>
}

/** Starts to reconcile as soon as the cluster is known and no other process does. */
export function startController (options: ReconcileOptions, context: ReconcileContext) {
  const { concurrency, watchNamespace } = options
  const { log, metrics, policy, client, known } = context
  const election = options.leaderElect ? electionOf(options, client, log) : undefined
  metrics.leading(options.leaderElectionId, () => election?.isLeading() ?? true)
  const controller = new Controller({
    client,
    log,
    outage: new ApiServerOutage(log),
    policy,
    concurrency,
    ...(watchNamespace === undefined ? {} : { namespace: watchNamespace }),
    fence: () => election?.fence(),
    observer: metrics.queue,
    onWatch: metrics.watchEvent,
  })
  metrics.watches(() => controller.watches())
  metrics.queue.depth(() => controller.depth)
  const stopping = new AbortController()
  const { promise: lost, reject: lose } = Promise.withResolvers<never>()
  const work = async () => {
    // A fault of `known` is reported by whoever waits for it.
    if (!await known.then(() => true, () => false)) return
    // Those who do not lead watch as well: they are to take over within seconds.
    await controller.watch()
    await election?.acquire(stopping.signal)
    if (stopping.signal.aborted) return
    controller.lead()
    await election?.hold(stopping.signal)
    if (election && !stopping.signal.aborted) lose(new StartUpError('the lead is lost: the Lease could not be renewed in time'))
  }
  const working = work().catch(lose)
  return {
    notReady: () => controller.notReady(),
    /** Rejects when this process must end, since another one may lead by now. */
    lost,
    stop: async () => {
      stopping.abort()
      await controller.stop()
      await working
      await election?.release(AbortSignal.timeout(releasePatience))
    },
  }
}

/** Milliseconds. A follower takes over without it as well, only later. */
const releasePatience = 2_000

function electionOf ({ leaderElectionNamespace, leaderElectionId }: ReconcileOptions, client: ApiClient, log: Logger): LeaderElection {
  const namespace = leaderElectionNamespace ?? ownNamespace() ?? 'default'
  return new LeaderElection({
    store: apiLeaseStore(client, namespace, leaderElectionId),
    // The container of a pod may be restarted: its name alone is not that of a process.
    identity: `${hostname()}_${randomUUID()}`,
    log,
  })
}
