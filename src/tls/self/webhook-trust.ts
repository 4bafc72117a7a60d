import type { ApiClient } from '../../cluster/api-client.ts'
import { hasStatus } from '../../cluster/api-error.ts'
import { findObject } from '../../cluster/find-object.ts'
import type { KubernetesObject } from '../../cluster/kubernetes-object.ts'
import { resourcePath } from '../../cluster/resource-path.ts'

/** https://cert-manager.io/docs/concepts/ca-injector/ */
const injectedByCertManager = /^cert-manager\.io\/inject-(ca-from|ca-from-secret|apiserver-ca)$/

/** A webhook configuration, as far as it says whom the API server trusts. */
export interface WebhookTrust {
  /** For messages: `ValidatingWebhookConfiguration "dittofs-operator"`. */
  readonly title: string
  readonly exists: boolean
  /** cert-manager writes its bundles: whoever else did so would fight it. */
  readonly foreign: boolean
  readonly resourceVersion: string
  readonly webhooks: readonly { readonly name: string, readonly caBundle: string }[]
}

/** The webhook configurations. All methods reject with whatever the API server refuses. */
export interface WebhookTrustStore {
  /** Never older than the call. */
  read (signal: AbortSignal): Promise<readonly WebhookTrust[]>
  /** Puts the bundle into every webhook of exactly what was read. Undefined: it has changed since. */
  inject (trust: WebhookTrust, caBundle: string, signal: AbortSignal): Promise<WebhookTrust | undefined>
}

export const webhookKinds = [
  { kind: 'MutatingWebhookConfiguration', resource: 'mutatingwebhookconfigurations' },
  { kind: 'ValidatingWebhookConfiguration', resource: 'validatingwebhookconfigurations' },
] as const

export const webhookResource = ({ resource }: { readonly resource: string }) => ({ group: 'admissionregistration.k8s.io', version: 'v1', resource })

interface Configuration extends KubernetesObject {
  readonly webhooks?: readonly { readonly name: string, readonly clientConfig: { readonly caBundle?: string } }[]
}

export function apiWebhookTrustStore (client: ApiClient, name: string): WebhookTrustStore {
  const kinds = webhookKinds.map(kind => ({ title: `${kind.kind} "${name}"`, path: resourcePath(webhookResource(kind), { name }) }))
  return {
    read: async signal => await Promise.all(kinds.map(async ({ title, path }) => {
      const found = await findObject<Configuration>(client, path, { signal })
      return found ? trustOf(title, found) : { title, exists: false, foreign: false, resourceVersion: '', webhooks: [] }
    })),
    inject: async ({ title, resourceVersion, webhooks }, caBundle, signal) => {
      const path = kinds.find(kind => kind.title === title)?.path ?? ''
      const value = Buffer.from(caBundle).toString('base64')
      // By position, so the list must be the one that was read; of each webhook nothing but the bundle is written.
      const body = [
        { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
        ...webhooks.map((_, index) => ({ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value })),
      ]
      try {
        const query = { fieldManager: 'dittofs-operator-certificates' }
        return trustOf(title, await client.request<Configuration>({
          verb: 'patch', method: 'PATCH', path, query, body, contentType: 'application/json-patch+json', signal,
        }))
      } catch (error) {
        if (hasStatus(error, 409) || hasStatus(error, 404)) return undefined
        throw error
      }
    },
  }
}

const trustOf = (title: string, { metadata, webhooks = [] }: Configuration): WebhookTrust => ({
  title,
  exists: true,
  foreign: Object.keys(metadata.annotations ?? {}).some(key => injectedByCertManager.test(key)),
  resourceVersion: metadata.resourceVersion ?? '',
  webhooks: webhooks.map(({ name, clientConfig }) => ({ name, caBundle: Buffer.from(clientConfig.caBundle ?? '', 'base64').toString('latin1') })),
})
