import { dashboard } from './dashboard.ts'
import { alerts } from './alerts.ts'
import { labels, name } from './installation.ts'
import { hasAlerts, hasDashboard, isMonitored } from './manifest.ts'
import type { Installation } from './installation.ts'
import type { Manifest, Part } from './manifest.ts'

const file = 'monitoring'
const head = (kind: string, { namespace }: Installation, more: object = {}) =>
  ({ apiVersion: 'monitoring.coreos.com/v1', kind, metadata: { name, namespace, labels: { ...labels, ...more } } })

const scraping = ({ scrapeInterval: interval, scrapeTimeout }: Installation) =>
  ({ interval, ...(scrapeTimeout === undefined ? {} : { scrapeTimeout }) })

/** https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.ServiceMonitor */
const serviceMonitor = (installation: Installation): Manifest & { spec: object } => ({
  ...head('ServiceMonitor', installation, installation.serviceMonitorLabels),
  spec: {
    endpoints: [{ port: 'metrics', path: '/metrics', ...scraping(installation) }],
    selector: { matchLabels: { ...labels, 'app.kubernetes.io/component': 'metrics' } },
  },
})

const prometheusRule = (installation: Installation): Manifest & { spec: object } => ({
  ...head('PrometheusRule', installation, installation.prometheusRuleLabels), spec: { groups: [{ name, rules: alerts }] },
})

const dashboardConfigMap = ({ namespace, dashboardLabels }: Installation): Manifest & { data: object } => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: `${name}-dashboard`, namespace, labels: { ...labels, ...dashboardLabels } },
  data: { 'dittofs-operator.json': `${JSON.stringify(dashboard, undefined, 2)}\n` },
})

export const monitoring: readonly Part[] = [
  { file, when: isMonitored, manifest: serviceMonitor },
  { file, when: hasAlerts, manifest: prometheusRule },
  { file, when: hasDashboard, manifest: dashboardConfigMap },
]
