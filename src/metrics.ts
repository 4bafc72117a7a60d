import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/**
 * Metrics bear the names of controller-runtime where they mean the same, so that existing dashboards and alerts apply:
 * https://book.kubebuilder.io/reference/metrics-reference
 */
export function createMetrics () {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
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
    webhookPanics: new Counter({
      name: 'controller_runtime_webhook_panics_total', help: 'Faults of ours while answering an admission request.', registers,
    }),
    decisions: new Counter({
      name: 'dittofs_operator_admission_decisions_total', help: 'Verdicts on DittoServers.', labelNames: ['operation', 'decision', 'dry_run'], registers,
    }),
    findings: new Counter({
      name: 'dittofs_operator_admission_findings_total', help: 'Errors and warnings, by rule.', labelNames: ['rule', 'severity'], registers,
    }),
    lookups: new Histogram({
      name: 'dittofs_operator_lookup_seconds',
      help: 'Time to look something up in the cluster.',
      labelNames: ['kind', 'result'],
      buckets: [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5],
      registers,
    }),
    certificateReads: new Counter({
      name: 'certwatcher_read_certificate_total', help: 'Times that the serving certificate was read.', registers,
    }),
    certificateErrors: new Counter({
      name: 'certwatcher_read_certificate_errors_total', help: 'Times that the serving certificate was refused.', registers,
    }),
    certificateExpiry: new Gauge({
      name: 'dittofs_operator_certificate_expiry_timestamp_seconds', help: 'When the serving certificate expires, in seconds since 1970.', registers,
    }),
  }
}

export type Metrics = ReturnType<typeof createMetrics>
