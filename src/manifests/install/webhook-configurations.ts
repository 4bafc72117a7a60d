import { mutatingWebhookConfiguration, validatingWebhookConfiguration } from '../webhooks.ts'
import type { WebhookSettings } from '../webhooks.ts'
import { injectAnnotation } from './cert-manager.ts'
import { labels } from './installation.ts'
import type { Installation } from './installation.ts'
import type { Part } from './manifest.ts'

const settings = ({ namespace, watchNamespace, certificates, caBundle }: Installation): WebhookSettings => ({
  namespace,
  watchNamespace,
  // In the other modes someone fills it in, and no later `apply` may take it away.
  caBundle: certificates === 'files' ? caBundle : undefined,
  metadata: { labels, ...(certificates === 'cert-manager' ? { annotations: injectAnnotation(namespace) } : {}) },
})

export const webhooks: readonly Part[] = [mutatingWebhookConfiguration, validatingWebhookConfiguration]
  .map(configuration => ({ file: 'webhooks', manifest: installation => configuration(settings(installation)) }))
