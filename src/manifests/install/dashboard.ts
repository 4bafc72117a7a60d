import { job } from './alerts.ts'

const datasource = { type: 'prometheus', uid: '$datasource' }

const own = `job="${job}"`
const perSecond = (metric: string) => `rate(${metric}{${own}}[$__rate_interval])`
const p99 = (histogram: string, ...by: string[]) => `histogram_quantile(0.99, sum by (${['le', ...by].join(', ')}) (${perSecond(`${histogram}_bucket`)}))`
/** A replica without one exports 0. */
const expiresIn = (metric: string) => `min(${metric}{${own}} > 0) - time()`

const panels = [
  ['Reviews per second', `sum by (webhook, code) (${perSecond('controller_runtime_webhook_requests_total')})`, 'reqps'],
  ['Time to answer a review (p99)', p99('controller_runtime_webhook_latency_seconds', 'webhook'), 's'],
  ['Verdicts', `sum by (operation, decision) (${perSecond('dittofs_operator_admission_decisions_total')})`, 'ops'],
  ['Findings by rule', `sum by (rule, severity) (${perSecond('dittofs_operator_admission_findings_total')})`, 'ops'],
  ['Lookups (p99)', p99('dittofs_operator_lookup_seconds', 'kind'), 's'],
  ['Queued DittoServers', `max by (pod) (workqueue_depth{${own}})`, 'short'],
  ['Reconciles per second', `sum by (result) (${perSecond('controller_runtime_reconcile_total')})`, 'ops'],
  ['Reconcile time (p99)', p99('controller_runtime_reconcile_time_seconds'), 's'],
  ['Leader', `sum by (pod) (leader_election_master_status{${own}})`, 'short'],
  ['Time since the last message on a watch', `max by (kind) (dittofs_operator_watch_silence_seconds{${own}})`, 's'],
  ['Stale watches', `sum by (kind, pod) (dittofs_operator_watch_stale{${own}})`, 'short'],
  ['Requests to the API server', `sum by (method, code) (${perSecond('rest_client_requests_total')})`, 'reqps'],
  ['Time until the API server answers (p99)', p99('rest_client_request_duration_seconds', 'verb'), 's'],
  ['Certificate expires in', expiresIn('dittofs_operator_certificate_expiry_timestamp_seconds'), 's'],
  ['CA expires in', expiresIn('dittofs_operator_ca_expiry_timestamp_seconds'), 's'],
  ['Memory', `max by (pod) (process_resident_memory_bytes{${own}})`, 'bytes'],
] as const

/** https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/ */
export const dashboard = {
  uid: 'dittofs-operator',
  title: 'DittoFS operator',
  tags: ['dittofs'],
  schemaVersion: 39,
  refresh: '1m',
  time: { from: 'now-6h', to: 'now' },
  templating: { list: [{ name: 'datasource', type: 'datasource', query: 'prometheus' }] },
  panels: panels.map(([title, expr, unit], index) => ({
    id: index + 1,
    type: 'timeseries',
    title,
    datasource,
    gridPos: { h: 8, w: 12, x: index % 2 * 12, y: Math.floor(index / 2) * 8 },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: [{ refId: 'A', datasource, expr }],
  })),
}
