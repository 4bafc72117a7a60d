import type { Logger } from 'pino'
import type { ApiClient } from '../cluster/api-client.ts'
import { ApiServerOutage } from '../cluster/api-server-outage.ts'
import { Controller } from '../controller/controller.ts'
import type { Metrics } from '../metrics.ts'
import type { Policy } from '../rules/policy.ts'

export interface ReconcileOptions { readonly concurrency: number, readonly watchNamespace?: string }

export interface ReconcileContext {
  readonly log: Logger
  readonly metrics: Metrics
  readonly policy: Policy
  readonly client: ApiClient
  /** Resolves when the cluster answers and has the CRD. */
  readonly known: Promise<void>
}

/** Starts to reconcile as soon as the cluster is known. */
export function startController ({ concurrency, watchNamespace }: ReconcileOptions, context: ReconcileContext) {
  const { log, metrics, policy, client, known } = context
  const controller = new Controller({
    client,
    log,
    outage: new ApiServerOutage(log),
    policy,
    concurrency,
    ...(watchNamespace === undefined ? {} : { namespace: watchNamespace }),
    fence: () => {},
    observer: metrics.queue,
  })
  metrics.queueDepth(() => controller.depth)
  const watching = known.then(async () => await controller.watch()).then(() => controller.lead())
  // A fault of `known` is reported by whoever waits for it.
  watching.catch(() => {})
  return {
    notReady: () => controller.notReady(),
    stop: async () => await controller.stop(),
  }
}
