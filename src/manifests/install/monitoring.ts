import { dashboard } from './dashboard.ts'
import { alerts } from './alerts.ts'
import { labels, name } from './installation.ts'
import { isMonitored } from './manifest.ts'
import type { Installation } from './installation.ts'
import type { Manifest, Part } from './manifest.ts'

const file = 'monitoring'
const head = (kind: string, { namespace }: Installation) => ({ apiVersion: 'monitoring.coreos.com/v1', kind, metadata: { name, namespace, labels } })

/** https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.ServiceMonitor */
const serviceMonitor = (installation: Installation): Manifest & { spec: object } => ({
  ...head('ServiceMonitor', installation),
  spec: {
    endpoints: [{ port: 'metrics', path: '/metrics', interval: '30s' }],
    selector: { matchLabels: { ...labels, 'app.kubernetes.io/component': 'metrics' } },
  },
})

const prometheusRule = (installation: Installation): Manifest & { spec: object } => ({
  ...head('PrometheusRule', installation), spec: { groups: [{ name, rules: alerts }] },
})

const dashboardConfigMap = ({ namespace }: Installation): Manifest & { data: object } => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  // The sidecar of Grafana looks for this label.
  metadata: { name: `${name}-dashboard`, namespace, labels: { ...labels, grafana_dashboard: '1' } },
  data: { 'dittofs-operator.json': `${JSON.stringify(dashboard, undefined, 2)}\n` },
})

export const monitoring: readonly Part[] = [serviceMonitor, prometheusRule, dashboardConfigMap]
  .map(manifest => ({ file, when: isMonitored, manifest }))
