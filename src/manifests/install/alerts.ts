import { documentation } from '../../project.ts'
import { name } from './installation.ts'

/** The job of the metrics Service, as set by a ServiceMonitor. Other operators export metrics with the same names. */
export const job = `${name}-metrics`
const own = `job="${job}"`

export type Severity = 'warning' | 'critical'

function alert<Name extends string> (
  called: Name, expr: string, lasting: string, severity: Severity, ...[summary, description]: [string, string]
) {
  const annotations = { summary, description, runbook_url: documentation(`alerts.md#${called.toLowerCase()}`) }
  return { alert: called, expr, for: lasting, labels: { severity }, annotations }
}

const days = (count: number) => `${count} * 86400`
/** The earliest expiry of all replicas. A replica without a certificate, or without its own CA, exports 0. */
const earliest = (metric: string) => `min(${metric}{${own}} > 0) - time()`
const added = (counter: string, within: string) => `sum(increase(${counter}{${own}}[${within}]))`

/**
 * Each description says what to do. It contains no templates, because Helm would evaluate them.
 *
 * Zero divided by zero is NaN, for which no comparison is true. Counters are summed after `rate` and `increase`, which handle the restart
 * of a process at 0. If a single event must not fire, the range of `increase` is shorter than `for`.
 */
export const alerts = [
  alert('DittofsOperatorDown', `absent(up{${own}} == 1)`, '5m', 'critical', 'No replica of the DittoFS operator answers.',
    'DittoServers cannot be created or changed. See the pods and events of its namespace.'),
  alert('DittofsOperatorNotReady', `max(min by (pod) (dittofs_operator_ready{${own}})) < 1`,
    '5m', 'critical', 'No replica of the DittoFS operator is ready.',
    'DittoServers cannot be created or changed. The reason is in the label reason of dittofs_operator_ready, in /readyz and in the log line "not ready".'),
  alert('DittofsOperatorNoReviews',
    // Writing the status does not count as a change. Without the webhook there is no request counter, so the comparison has no result.
    `sum(increase(dittofs_operator_dittoserver_changes_total{${own}}[10m])) > 0 and ` +
    `sum(increase(controller_runtime_webhook_requests_total{${own}}[10m])) == 0`,
    '5m', 'critical', 'DittoServers change, but the webhook receives no reviews.',
    'Changes are stored without being checked. Check that the webhook configurations exist, and which objects their selectors exclude.'),
  alert('DittofsOperatorImpaired',
    `max by (reason) (dittofs_operator_impaired{${own}, reason!~"StorageClassesStale|WatchStale"}) > 0`,
    '15m', 'warning', 'A replica answers reviews, but has a problem.',
    'The reason is in its /readyz and in the log line "impaired". MutatingWebhookNotTrusting: no defaults are filled in. CertificateSecretNotSeen: ' +
    'the replica will not see the next rotation of the certificate.'),
  alert('DittofsOperatorNoLeader', `max(leader_election_master_status{${own}}) < 1`,
    '5m', 'critical', 'No replica reconciles.', `DittoServers are stored, but changes are not carried out. See the Lease ${name} and the logs.`),
  alert('DittofsOperatorWatchStale', `max by (kind) (dittofs_operator_watch_stale{${own}}) > 0`,
    '10m', 'critical', 'A replica no longer receives changes from the cluster.',
    'It still answers reviews. The reason is in its /readyz: the API server is unreachable, or a permission to list and watch the kind is missing.'),
  alert('DittofsOperatorQueueStuck',
    // Both series of the same process, because a follower does not reconcile. Before the first pass of a process there is no series of
    // passes.
    `sum by (pod) (workqueue_depth{${own}}) > 0 unless on (pod) sum by (pod) (rate(controller_runtime_reconcile_total{${own}}[10m])) > 0`,
    '15m', 'critical', 'DittoServers are queued, but none is reconciled.', 'Restart the operator, and report what its log says.'),
  alert('DittofsOperatorReconcileErrors', `${added('controller_runtime_reconcile_errors_total', '10m')} > 4`,
    '20m', 'warning', 'Reconciling keeps failing.', 'The reason is in the events of the DittoServers and in the log. One server that always fails is enough for this alert.'),
  alert('DittofsOperatorWebhookErrors',
    `sum(rate(controller_runtime_webhook_requests_total{${own}, code!="200"}[5m])) / sum(rate(controller_runtime_webhook_requests_total{${own}}[5m])) > 0.05`,
    '10m', 'critical', 'More than 5% of the admission reviews fail.',
    'Changes of DittoServers are refused. Code 429 means too many reviews at once: add replicas. For other codes, see log lines of level error.'),
  alert('DittofsOperatorWebhookFaults', `${added('controller_runtime_webhook_panics_total', '30m')} > 0`,
    '0m', 'warning', 'An admission review failed because of a bug in the operator.',
    'The DittoServer was refused without being checked. Report the log line "review failed".'),
  alert('DittofsOperatorWebhookSlow',
    `histogram_quantile(0.99, sum by (le) (rate(controller_runtime_webhook_latency_seconds_bucket{${own}}[5m]))) > 2`,
    '10m', 'warning', 'Admission takes more than 2 s.', 'The API server times out after 5 s. Most often the API server itself is slow to answer lookups.'),
  alert('DittofsOperatorCertificateExpiring', `${earliest('dittofs_operator_certificate_expiry_timestamp_seconds')} < ${days(7)}`,
    '1h', 'critical', 'The serving certificate expires within a week.',
    'It should have been renewed by now. Find out what renews it: the operator, cert-manager, or you.'),
  alert('DittofsOperatorCAExpiring', `${earliest('dittofs_operator_ca_expiry_timestamp_seconds')} < ${days(30)}`,
    '1h', 'critical', 'The CA of the serving certificate expires within 30 days.',
    'The operator renews it two years before it expires. The reason for the failure is in its log.'),
  alert('DittofsOperatorCertificateRefused', `${added('certwatcher_read_certificate_errors_total', '10m')} > 0`,
    '15m', 'warning', 'A new serving certificate is refused.', 'The previous certificate is still served. The log says what is wrong with the new one.'),
  alert('DittofsOperatorCABundleNotInjected', `${added('dittofs_operator_ca_injection_errors_total', '10m')} > 0`,
    '15m', 'warning', 'The CA bundle cannot be written into the webhook configurations.',
    'A new CA would not be trusted. See the log: most often a permission or a webhook configuration is missing.'),
] as const
