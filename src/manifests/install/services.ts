import { webhookService } from '../webhooks.ts'
import { labels, name, selector } from './installation.ts'
import type { Installation } from './installation.ts'
import type { Manifest } from './manifest.ts'

type Service = Manifest & { readonly spec: object }

const service = (called: string, component: 'webhook' | 'metrics', port: number) => ({ namespace }: Installation): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: called, namespace, labels: { ...labels, 'app.kubernetes.io/component': component } },
  spec: { type: 'ClusterIP', selector, ports: [{ name: component, port, protocol: 'TCP', targetPort: component }] },
})

export const serviceOfWebhook = service(webhookService.name, 'webhook', webhookService.port)
export const serviceOfMetrics = service(`${name}-metrics`, 'metrics', 8081)
