const datasource = { type: 'prometheus', uid: '$datasource' }

const panels = [
  ['Reviews per second', 'sum by (webhook, code) (rate(controller_runtime_webhook_requests_total[$__rate_interval]))', 'reqps'],
  ['Time to answer a review (p99)', 'histogram_quantile(0.99, sum by (le, webhook) (rate(controller_runtime_webhook_latency_seconds_bucket[$__rate_interval])))', 's'],
  ['Verdicts', 'sum by (operation, decision) (rate(dittofs_operator_admission_decisions_total[$__rate_interval]))', 'ops'],
  ['Findings by rule', 'sum by (rule, severity) (rate(dittofs_operator_admission_findings_total[$__rate_interval]))', 'ops'],
  ['Lookups (p99)', 'histogram_quantile(0.99, sum by (le, kind) (rate(dittofs_operator_lookup_seconds_bucket[$__rate_interval])))', 's'],
  ['Certificate expires in', 'min(dittofs_operator_certificate_expiry_timestamp_seconds) - time()', 's'],
  ['Passes per second', 'sum by (result) (rate(controller_runtime_reconcile_total[$__rate_interval]))', 'ops'],
  ['Time of a pass (p99)', 'histogram_quantile(0.99, sum by (le) (rate(controller_runtime_reconcile_time_seconds_bucket[$__rate_interval])))', 's'],
  ['Waiting DittoServers', 'max(workqueue_depth)', 'short'],
  ['Leader', 'sum by (pod) (leader_election_master_status)', 'short'],
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
