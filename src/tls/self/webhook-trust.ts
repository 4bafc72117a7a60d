import type { ApiClient } from '../../cluster/api-client.ts'
import { hasStatus } from '../../cluster/api-error.ts'
import { findObject } from '../../cluster/find-object.ts'
import type { KubernetesObject } from '../../cluster/kubernetes-object.ts'
import { resourcePath } from '../../cluster/resource-path.ts'

/** https://cert-manager.io/docs/concepts/ca-injector/ */
const injectedByCertManager = /^cert-manager\.io\/inject-(ca-from|ca-from-secret|apiserver-ca)$/

/** The part of a webhook configuration that decides which CAs the API server trusts. */
export interface WebhookTrust {
  /** For messages: `ValidatingWebhookConfiguration "dittofs-operator"`. */
  readonly title: string
  readonly exists: boolean
  /** `failurePolicy: Fail`: the API server refuses a request if the webhook does not answer. The mutating configuration has `Ignore`. */
  readonly isRequired: boolean
  /** cert-manager writes the bundles of this configuration. A second writer would conflict with it. */
  readonly foreign: boolean
  readonly resourceVersion: string
  readonly webhooks: readonly { readonly name: string, readonly caBundle: string }[]
}

/** Reads and writes the webhook configurations. All methods reject if the API server refuses the request. */
export interface WebhookTrustStore {
  /** The result is at least as new as the call. */
  read (signal: AbortSignal): Promise<readonly WebhookTrust[]>
  /** Writes the bundle into every webhook of the configuration as read. Undefined: the configuration has been changed or deleted since. */
  inject (trust: WebhookTrust, caBundle: string, signal: AbortSignal): Promise<WebhookTrust | undefined>
}

export const webhookKinds = [
  { kind: 'MutatingWebhookConfiguration', resource: 'mutatingwebhookconfigurations', isRequired: false },
  { kind: 'ValidatingWebhookConfiguration', resource: 'validatingwebhookconfigurations', isRequired: true },
] as const

export const webhookResource = ({ resource }: { readonly resource: string }) => ({ group: 'admissionregistration.k8s.io', version: 'v1', resource })

interface Configuration extends KubernetesObject {
  readonly webhooks?: readonly { readonly name: string, readonly clientConfig: { readonly caBundle?: string } }[]
}

export function apiWebhookTrustStore (client: ApiClient, name: string): WebhookTrustStore {
  const kinds = webhookKinds.map(kind => ({ ...kind, title: `${kind.kind} "${name}"`, path: resourcePath(webhookResource(kind), { name }) }))
  return {
    read: async signal => await Promise.all(kinds.map(async ({ title, isRequired, path }) => {
      const found = await findObject<Configuration>(client, path, { signal })
      return found ? trustOf({ title, isRequired }, found) : { title, isRequired, exists: false, foreign: false, resourceVersion: '', webhooks: [] }
    })),
    inject: async ({ title, isRequired, resourceVersion, webhooks }, caBundle, signal) => {
      const path = kinds.find(kind => kind.title === title)?.path ?? ''
      const value = Buffer.from(caBundle).toString('base64')
      // The patch addresses webhooks by position, so it may only apply to the version that was read. It changes nothing but the bundles.
      const body = [
        { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
        ...webhooks.map((_, index) => ({ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value })),
      ]
      try {
        const query = { fieldManager: 'dittofs-operator-certificates' }
        return trustOf({ title, isRequired }, await client.request<Configuration>({
          verb: 'patch', method: 'PATCH', path, query, body, contentType: 'application/json-patch+json', signal,
        }))
      } catch (error) {
        if (hasStatus(error, 409) || hasStatus(error, 404)) return undefined
        throw error
      }
    },
  }
}

const trustOf = (known: Pick<WebhookTrust, 'title' | 'isRequired'>, { metadata, webhooks = [] }: Configuration): WebhookTrust => ({
  ...known,
  exists: true,
  foreign: Object.keys(metadata.annotations ?? {}).some(key => injectedByCertManager.test(key)),
  resourceVersion: metadata.resourceVersion ?? '',
  webhooks: webhooks.map(({ name, clientConfig }) => ({ name, caBundle: Buffer.from(clientConfig.caBundle ?? '', 'base64').toString('latin1') })),
})
