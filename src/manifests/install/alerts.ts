import { name } from './installation.ts'

/** Of the Service of the metrics, as a ServiceMonitor gives it. Other operators export metrics of the same names. */
export const job = `${name}-metrics`
const own = `job="${job}"`

export type Severity = 'warning' | 'critical'

const alert = (called: string, expr: string, lasting: string, severity: Severity, ...[summary, description]: [string, string]) =>
  ({ alert: called, expr, for: lasting, labels: { severity }, annotations: { summary, description } })

const days = (count: number) => `${count} * 86400`
/** The earliest of all replicas. What has no certificate, or no authority of its own, exports 0. */
const earliest = (metric: string) => `min(${metric}{${own}} > 0) - time()`
const added = (counter: string, within: string) => `sum(increase(${counter}{${own}}[${within}]))`

/**
 * Each says in its description what to do. No templates within: Helm would take them for its own.
 *
 * A division of nothing by nothing is NaN, which no comparison holds for. Counters are summed after `rate` and `increase`, which know
 * that a process starts at 0. Where one event alone must not fire, `increase` looks back less than `for` lasts.
 */
export const alerts = [
  alert('DittofsOperatorDown', `absent(up{${own}} == 1)`, '5m', 'critical', 'No replica of the DittoFS operator answers.',
    'DittoServers cannot be created or changed. See the pods and events of its namespace.'),
  alert('DittofsOperatorNoLeader', `max(leader_election_master_status{${own}}) < 1`,
    '5m', 'critical', 'No replica reconciles.', `DittoServers are stored, but nothing follows. See the Lease ${name} and the logs.`),
  alert('DittofsOperatorWatchStale', `max by (kind) (dittofs_operator_watch_stale{${own}}) > 0`,
    '10m', 'critical', 'A replica no longer hears of changes in the cluster.',
    'It is not ready meanwhile. Its /readyz tells why: the API server is away, or a permission to list and watch the kind is missing.'),
  alert('DittofsOperatorQueueStuck',
    // Of the same process: a follower does nothing, rightly. Before the first pass of a process there is no series of passes.
    `sum by (pod) (workqueue_depth{${own}}) > 0 unless on (pod) sum by (pod) (rate(controller_runtime_reconcile_total{${own}}[10m])) > 0`,
    '15m', 'critical', 'DittoServers wait, and none is reconciled.', 'Restart the operator, and report what its log says.'),
  alert('DittofsOperatorReconcileErrors', `${added('controller_runtime_reconcile_errors_total', '10m')} > 4`,
    '20m', 'warning', 'Reconciling keeps failing.', 'The events of the DittoServers and the log tell why. One server that always fails is enough.'),
  alert('DittofsOperatorWebhookErrors',
    `sum(rate(controller_runtime_webhook_requests_total{${own}, code!="200"}[5m])) / sum(rate(controller_runtime_webhook_requests_total{${own}}[5m])) > 0.05`,
    '10m', 'critical', 'More than 5% of the admission reviews fail.',
    'Changes of DittoServers are refused. Code 429 means too many at once: add replicas. For all else see the log for lines of level error.'),
  alert('DittofsOperatorWebhookFaults', `${added('controller_runtime_webhook_panics_total', '30m')} > 0`,
    '0m', 'warning', 'An admission review met a fault of the operator itself.',
    'The DittoServer was not judged, and was refused. Report the line "review failed" of the log.'),
  alert('DittofsOperatorWebhookSlow',
    `histogram_quantile(0.99, sum by (le) (rate(controller_runtime_webhook_latency_seconds_bucket{${own}}[5m]))) > 2`,
    '10m', 'warning', 'Admission takes more than 2 s.', 'The API server gives up after 5 s. Mostly the API server itself is slow to answer lookups.'),
  alert('DittofsOperatorCertificateExpiring', `${earliest('dittofs_operator_certificate_expiry_timestamp_seconds')} < ${days(7)}`,
    '1h', 'critical', 'The serving certificate expires within a week.',
    'It should have been renewed by now. See what renews it: the operator, cert-manager, or you.'),
  alert('DittofsOperatorAuthorityExpiring', `${earliest('dittofs_operator_ca_expiry_timestamp_seconds')} < ${days(30)}`,
    '1h', 'critical', 'The authority of the serving certificate expires within 30 days.',
    'The operator should have renewed it two years ahead. Its log tells what keeps it from that.'),
  alert('DittofsOperatorCertificateRefused', `${added('certwatcher_read_certificate_errors_total', '10m')} > 0`,
    '15m', 'warning', 'A new serving certificate is refused.', 'The one before is still served. The log tells what is wrong with it.'),
  alert('DittofsOperatorAuthorityNotInjected', `${added('dittofs_operator_ca_injection_errors_total', '10m')} > 0`,
    '15m', 'warning', 'The webhook configurations cannot be given the CA bundle.',
    'A renewed authority would not be trusted. See the log; mostly a permission is missing, or a configuration.'),
] as const
