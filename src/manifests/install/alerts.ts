import { name } from './installation.ts'

const job = `job="${name}-metrics"`

type Severity = 'warning' | 'critical'

const alert = (called: string, expr: string, lasting: string, severity: Severity, ...[summary, description]: [string, string]) =>
  ({ alert: called, expr, for: lasting, labels: { severity }, annotations: { summary, description } })

/** Each says in its description what to do. No templates within: Helm would take them for its own. */
export const alerts = [
  alert('DittofsOperatorDown', `absent(up{${job}} == 1)`, '5m', 'critical', 'No replica of the DittoFS operator answers.',
    'DittoServers cannot be created or changed. See the pods and events of its namespace.'),
  alert('DittofsOperatorWebhookErrors',
    'sum(rate(controller_runtime_webhook_requests_total{code!="200"}[5m])) / sum(rate(controller_runtime_webhook_requests_total[5m])) > 0.05',
    '10m', 'critical', 'More than 5% of the admission reviews fail.', 'Changes of DittoServers are refused. See the log for lines of level error.'),
  alert('DittofsOperatorWebhookSlow',
    'histogram_quantile(0.99, sum by (le) (rate(controller_runtime_webhook_latency_seconds_bucket[5m]))) > 2',
    '10m', 'warning', 'Admission takes more than 2 s.', 'The API server gives up after 5 s. Mostly the API server itself is slow to answer lookups.'),
  alert('DittofsOperatorCertificateExpiring', 'min(dittofs_operator_certificate_expiry_timestamp_seconds) - time() < 7 * 86400',
    '1h', 'critical', 'The serving certificate expires within a week.', 'It should have been renewed by now. See what renews it: the operator, cert-manager, or you.'),
  alert('DittofsOperatorCertificateRefused', 'increase(certwatcher_read_certificate_errors_total[15m]) > 0',
    '15m', 'warning', 'A new serving certificate is refused.', 'The one before is still served. The log tells what is wrong with the files.'),
  alert('DittofsOperatorAuthorityNotInjected', 'increase(dittofs_operator_ca_injection_errors_total[15m]) > 0',
    '15m', 'warning', 'The webhook configurations cannot be given the CA bundle.',
    'A renewed authority would not be trusted. See the log; mostly a permission is missing, or a configuration.'),
  alert('DittofsOperatorNoLeader', `sum(leader_election_master_status{name="${name}"}) < 1`,
    '5m', 'critical', 'No replica reconciles.', `DittoServers are stored, but nothing follows. See the Lease ${name} and the logs.`),
  alert('DittofsOperatorReconcileErrors', 'sum(rate(controller_runtime_reconcile_errors_total[10m])) > 0.1',
    '15m', 'warning', 'Reconciling keeps failing.', 'The events of the DittoServers and the log tell why.'),
  alert('DittofsOperatorQueueStuck', 'max(workqueue_depth) > 0 and sum(rate(controller_runtime_reconcile_total[10m])) == 0',
    '15m', 'critical', 'DittoServers wait, and none is reconciled.', 'Restart the operator, and report what its log says.'),
] as const
