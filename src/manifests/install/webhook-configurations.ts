import { mutatingWebhookConfiguration, validatingWebhookConfiguration } from '../webhooks.ts'
import type { WebhookSettings } from '../webhooks.ts'
import { injectAnnotation } from './cert-manager.ts'
import { labels } from './installation.ts'
import type { Installation } from './installation.ts'
import type { Part } from './manifest.ts'

const settings = ({ namespace, watchNamespace, certificates, caBundle, webhook }: Installation): WebhookSettings => ({
  namespace,
  watchNamespace,
  webhook,
  // In the other modes another client writes it, and a later `apply` must not remove it.
  caBundle: certificates === 'files' ? caBundle : undefined,
  metadata: { labels, ...(certificates === 'cert-manager' ? { annotations: injectAnnotation(namespace) } : {}) },
})

export const webhooks: readonly Part[] = [mutatingWebhookConfiguration, validatingWebhookConfiguration]
  .map(configuration => ({ file: 'webhooks', manifest: installation => configuration(settings(installation)) }))
