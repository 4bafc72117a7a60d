import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { impairments, obstacles, type Readiness } from './health/readiness.ts'
import { remembered } from './metric-children.ts'

const workBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60]

/** The name that controller-runtime would give to a controller of this kind. */
const controller = 'dittoserver'

/** The work queue and the passes over DittoServers. */
function queueMetrics (registers: Registry[]) {
  const ofQueue = { labelNames: ['name'], registers } as const
  const ofController = { labelNames: ['controller'], registers } as const
  const adds = new Counter({ name: 'workqueue_adds_total', help: 'DittoServers queued.', ...ofQueue }).labels(controller)
  const retries = new Counter({ name: 'workqueue_retries_total', help: 'Passes that are retried.', ...ofQueue }).labels(controller)
  const queued = new Histogram({
    name: 'workqueue_queue_duration_seconds', help: 'Time in the queue.', buckets: workBuckets, ...ofQueue,
  }).labels(controller)
  const time = new Histogram({
    name: 'controller_runtime_reconcile_time_seconds', help: 'Time of a pass.', buckets: workBuckets, ...ofController,
  }).labels(controller)
  const total = new Counter({
    name: 'controller_runtime_reconcile_total', help: 'Passes, by result: success, error.', labelNames: ['controller', 'result'], registers,
  })
  const [succeeded, failed] = [total.labels(controller, 'success'), total.labels(controller, 'error')]
  const errors = new Counter({ name: 'controller_runtime_reconcile_errors_total', help: 'Passes that failed.', ...ofController }).labels(controller)
  const active = new Gauge({ name: 'controller_runtime_active_workers', help: 'Passes that are running.', ...ofController }).labels(controller)
  active.set(0)
  let depth = () => 0
  // eslint-disable-next-line no-new -- it registers itself
  new Gauge({
    name: 'workqueue_depth', help: 'DittoServers that wait for a pass.', ...ofQueue, collect () { this.set({ name: controller }, depth()) },
  })
  return {
    depth: (read: () => number) => { depth = read },
    added: () => adds.inc(),
    retried: () => retries.inc(),
    started: (seconds: number) => {
      queued.observe(seconds)
      active.inc()
    },
    finished: (seconds: number, hasFailed: boolean) => {
      time.observe(seconds)
      active.dec();
      (hasFailed ? failed : succeeded).inc()
      if (hasFailed) errors.inc()
    },
  }
}

function certificateMetrics (registers: Registry[]) {
  return {
    certificateReads: new Counter({
      name: 'certwatcher_read_certificate_total', help: 'Times that the serving certificate was read.', registers,
    }),
    certificateErrors: new Counter({
      name: 'certwatcher_read_certificate_errors_total', help: 'Times that the serving certificate was refused.', registers,
    }),
    certificateRotations: new Counter({
      name: 'dittofs_operator_certificate_rotations_total',
      help: 'Certificates and CAs that this process created.',
      labelNames: ['part'],
      registers,
    }),
    caInjections: new Counter({
      name: 'dittofs_operator_ca_injections_total', help: 'Webhook configurations that were given a new CA bundle.', registers,
    }),
    caInjectionErrors: new Counter({
      name: 'dittofs_operator_ca_injection_errors_total', help: 'Failed reads and writes of webhook configurations.', registers,
    }),
    caExpiry: new Gauge({
      name: 'dittofs_operator_ca_expiry_timestamp_seconds', help: 'Expiry of the CA that the operator created, in seconds since 1970.', registers,
    }),
    certificateExpiry: new Gauge({
      name: 'dittofs_operator_certificate_expiry_timestamp_seconds', help: 'Expiry of the serving certificate, in seconds since 1970.', registers,
    }),
  }
}

export interface WatchState {
  readonly kind: string
  /** Since the API server was last heard on it; undefined before the first answer. */
  readonly silentSeconds: number | undefined
  readonly stale: boolean
}

/** The watches on the cluster, and all else that is asked of the API server. */
function apiServerMetrics (registers: Registry[]) {
  const sources: (() => readonly WatchState[])[] = []
  const states = () => sources.flatMap(source => source())
  const events = new Counter({
    name: 'dittofs_operator_watch_events_total',
    help: 'Events of the watches: list, watch (opened), ended, gone, silent, failed, handler-failed.',
    labelNames: ['kind', 'event'],
    registers,
  })
  const changes = new Counter({
    name: 'dittofs_operator_dittoserver_changes_total', help: 'Changes of a DittoServer spec, as seen by the watch.', registers,
  })
  // eslint-disable-next-line no-new -- it registers itself
  new Gauge({
    name: 'dittofs_operator_watch_silence_seconds',
    help: 'Time since the last message of the API server on the watch.',
    labelNames: ['kind'],
    registers,
    collect () { for (const { kind, silentSeconds } of states()) if (silentSeconds !== undefined) this.set({ kind }, silentSeconds) },
  })
  // eslint-disable-next-line no-new -- it registers itself
  new Gauge({
    name: 'dittofs_operator_watch_stale',
    help: '1 if the cache of the kind is stale.',
    labelNames: ['kind'],
    registers,
    collect () { for (const { kind, stale } of states()) this.set({ kind }, stale ? 1 : 0) },
  })
  return {
    watchEvent: (kind: string, event: string) => events.inc({ kind, event }),
    dittoServerChanged: () => { changes.inc() },
    watches: (source: () => readonly WatchState[]) => { sources.push(source) },
    restRequests: new Counter({
      name: 'rest_client_requests_total',
      help: 'Requests to the API server, by HTTP status code (<error> if there was none) and method.',
      labelNames: ['code', 'method'],
      registers,
    }),
    restDuration: new Histogram({
      name: 'rest_client_request_duration_seconds',
      help: 'Time until the API server answered.',
      labelNames: ['verb'],
      buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60],
      registers,
    }),
  }
}

function readinessMetrics (registers: Registry[]) {
  let readiness: Pick<Readiness, 'notReady' | 'impaired'> | undefined
  const gauge = (name: string, help: string, reasons: readonly string[], held: 'notReady' | 'impaired', whereHeld: 0 | 1) => new Gauge({
    name,
    help,
    labelNames: ['reason'],
    registers,
    collect () {
      if (!readiness) return
      const holding = new Set<string>(readiness[held]().map(({ reason }) => reason))
      for (const reason of reasons) this.set({ reason }, holding.has(reason) ? whereHeld : 1 - whereHeld)
    },
  })
  gauge('dittofs_operator_ready', '0 where this reason keeps the process from getting reviews, else 1.', obstacles, 'notReady', 0)
  gauge('dittofs_operator_impaired', '1 where this is wrong with a process that answers reviews all the same.', impairments, 'impaired', 1)
  return { readiness: (source: Pick<Readiness, 'notReady' | 'impaired'>) => { readiness = source } }
}

/** Lookups for reviews. */
function lookupMetrics (registers: Registry[]) {
  const lookups = new Histogram({
    name: 'dittofs_operator_lookup_seconds',
    help: 'Duration of lookups in the cluster.',
    labelNames: ['kind', 'result'],
    buckets: [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5],
    registers,
  })
  const lookupsOf = remembered((kind: string, result: string) => lookups.labels(kind, result))
  return ({ kind, result, seconds }: { readonly kind: string, readonly result: string, readonly seconds: number }): void => {
    lookupsOf(kind, result).observe(seconds)
  }
}

/**
 * Metrics bear the names of controller-runtime where they mean the same, so that existing dashboards and alerts apply:
 * https://book.kubebuilder.io/reference/metrics-reference
 */
export function createMetrics () {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  let leader: { name: string, leads: () => boolean } | undefined
  // eslint-disable-next-line no-new -- it registers itself
  new Gauge({
    name: 'leader_election_master_status',
    help: '1 if this process is the leader.',
    labelNames: ['name'],
    registers,
    collect () { if (leader) this.set({ name: leader.name }, leader.leads() ? 1 : 0) },
  })
  const inFlight = new Map<string, () => number>()
  // eslint-disable-next-line no-new -- it registers itself
  new Gauge({
    name: 'controller_runtime_webhook_requests_in_flight',
    help: 'Admission requests being answered.',
    labelNames: ['webhook'],
    registers,
    collect () { for (const [webhook, count] of inFlight) this.set({ webhook }, count()) },
  })
  return {
    registry,
    webhookRequests: new Counter({
      name: 'controller_runtime_webhook_requests_total', help: 'Admission requests, by HTTP status code.', labelNames: ['webhook', 'code'], registers,
    }),
    webhookLatency: new Histogram({
      name: 'controller_runtime_webhook_latency_seconds',
      help: 'Time to answer an admission request.',
      labelNames: ['webhook'],
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    /** The count is kept where the requests are and read when somebody asks for the metrics. */
    webhookInFlight: (webhook: string, count: () => number) => inFlight.set(webhook, count),
    webhookConnectionsDropped: new Counter({
      name: 'dittofs_operator_webhook_connections_dropped_total', help: 'Connections that were closed at once, because there were too many.', registers,
    }),
    webhookPanics: new Counter({
      name: 'controller_runtime_webhook_panics_total', help: 'Admission requests that failed because of a bug in the operator.', registers,
    }),
    decisions: new Counter({
      name: 'dittofs_operator_admission_decisions_total', help: 'Verdicts on DittoServers.', labelNames: ['operation', 'decision', 'dry_run'], registers,
    }),
    findings: new Counter({
      name: 'dittofs_operator_admission_findings_total', help: 'Errors and warnings, by rule.', labelNames: ['rule', 'severity'], registers,
    }),
    lookedUp: lookupMetrics(registers),
    leading: (name: string, leads: () => boolean) => { leader = { name, leads } },
    queue: queueMetrics(registers),
    ...readinessMetrics(registers),
    ...apiServerMetrics(registers),
    ...certificateMetrics(registers),
  }
}

export type Metrics = ReturnType<typeof createMetrics>
