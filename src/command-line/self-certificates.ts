import type { Logger } from 'pino'
import type { ApiClient } from '../cluster/api-client.ts'
import { ApiServerOutage } from '../cluster/api-server-outage.ts'
import { resourcePath, type ObjectReference, type Resource } from '../cluster/resource-path.ts'
import { secretResource } from '../cluster/secret.ts'
import { WatchCache } from '../cluster/watch-cache.ts'
import { webhookService } from '../manifests/webhooks.ts'
import type { Metrics } from '../metrics.ts'
import { serviceNames } from '../tls/issue.ts'
import { defaultTimes, type RotationTimes } from '../tls/self/plan.ts'
import { apiSecretStore } from '../tls/self/secret-store.ts'
import { SelfSource } from '../tls/self/self-source.ts'
import { apiWebhookTrustStore, webhookKinds, webhookResource } from '../tls/self/webhook-trust.ts'
import { ownNamespace } from './own-namespace.ts'

export interface SelfCertificateOptions {
  readonly operatorNamespace?: string
  readonly webhookService: string
  readonly webhookConfiguration: string
  readonly tlsSecret: string
  readonly tlsSan?: readonly string[]
  readonly tlsTimes?: Partial<RotationTimes> & { readonly pollInterval?: number }
}

/** The source of a certificate that the operator creates itself. Watches on its dependencies trigger it. */
export function selfCertificates (options: SelfCertificateOptions, client: ApiClient, log: Logger, metrics: Metrics) {
  const namespace = options.operatorNamespace ?? ownNamespace() ?? webhookService.namespace
  const { pollInterval, ...times } = options.tlsTimes ?? {}
  const source = new SelfSource({
    secrets: apiSecretStore(client, { namespace, name: options.tlsSecret }),
    webhooks: apiWebhookTrustStore(client, options.webhookConfiguration),
    names: [...serviceNames({ name: options.webhookService, namespace }), ...options.tlsSan ?? []],
    log,
    times: { ...defaultTimes, ...times },
    ...(pollInterval === undefined ? {} : { pollInterval }),
    onRead: () => metrics.certificateReads.inc(),
    onRefused: () => metrics.certificateErrors.inc(),
    onLoaded: ({ notAfter }) => metrics.certificateExpiry.set(notAfter.getTime() / 1000),
    onCa: notAfter => metrics.caExpiry.set(notAfter.getTime() / 1000),
    onRotated: part => metrics.certificateRotations.inc({ part }),
    onInjected: () => metrics.caInjections.inc(),
    onInjectionFailed: () => metrics.caInjectionErrors.inc(),
  })
  const outage = new ApiServerOutage(log)
  const watch = (resource: Resource, { name, ...where }: ObjectReference & { name: string }) => new WatchCache({
    client, log, outage, path: resourcePath(resource, where), fieldSelector: `metadata.name=${name}`, metadataOnly: true, transform: () => undefined,
  })
  const watches = [
    watch(secretResource, { namespace, name: options.tlsSecret }),
    ...webhookKinds.map(kind => watch(webhookResource(kind), { name: options.webhookConfiguration })),
  ]
  return {
    source,
    start: async () => {
      await source.start()
      for (const one of watches) {
        one.onChange(() => { source.wake() })
        void one.start()
      }
    },
    stop: async () => {
      await Promise.all([source.stop(), ...watches.map(async one => { await one.stop() })])
    },
  }
}
