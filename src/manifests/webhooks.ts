import * as api from '../dittoserver/api.ts'

/** Where the API server finds us, in an installation. */
export const webhookService = { namespace: 'dittofs-system', name: 'dittofs-operator-webhook', port: 443 } as const

/**
 * Long enough for a lookup at an API server under load, short enough for a person at a terminal. `docs/` tells how to raise
 * it to 30 while debugging, which brings the network's own error to light.
 */
const timeoutSeconds = 5

const notBeingDeleted = { name: 'not-being-deleted', expression: '!has(object.metadata.deletionTimestamp)' }
const specChanged = {
  name: 'spec-changed',
  expression: 'request.operation != "UPDATE" || !has(object.spec) || !has(oldObject.spec) || object.spec != oldObject.spec',
}

/** What differs between installations. */
export interface WebhookSettings {
  readonly namespace: string
  /** The one namespace whose servers are admitted by us; absent: all. */
  readonly watchNamespace?: string | undefined
  readonly caBundle?: string | undefined
  readonly metadata?: object
}

// Every field that the API server would default is written out: otherwise Argo CD sees a difference for ever.
const webhook = (verb: string, failurePolicy: 'Ignore' | 'Fail', matchConditions: object[], settings: WebhookSettings) => ({
  name: `${verb}.${api.plural}.${api.group}`,
  admissionReviewVersions: ['v1'],
  clientConfig: {
    ...(settings.caBundle === undefined ? {} : { caBundle: settings.caBundle }),
    service: { ...webhookService, namespace: settings.namespace, path: verb === 'default' ? '/mutate' : '/validate' },
  },
  rules: [{ apiGroups: [api.group], apiVersions: [api.version], operations: ['CREATE', 'UPDATE'], resources: [api.plural], scope: 'Namespaced' }],
  failurePolicy,
  matchPolicy: 'Equivalent',
  namespaceSelector: settings.watchNamespace === undefined ? {} : { matchLabels: { 'kubernetes.io/metadata.name': settings.watchNamespace } },
  objectSelector: {},
  matchConditions,
  sideEffects: 'None',
  timeoutSeconds,
})

const configuration = (kind: string, webhooks: object[], metadata: object = {}) => ({
  apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name: 'dittofs-operator', ...metadata }, webhooks,
})

/** Defaulting fails open, for the CRD has the same defaults. */
export const mutatingWebhookConfiguration = (settings: WebhookSettings) => configuration('MutatingWebhookConfiguration', [
  { ...webhook('default', 'Ignore', [notBeingDeleted], settings), reinvocationPolicy: 'Never' },
], settings.metadata)

/** Validation fails closed, for some of it is nowhere else. */
export const validatingWebhookConfiguration = (settings: WebhookSettings) => configuration('ValidatingWebhookConfiguration', [
  webhook('validate', 'Fail', [notBeingDeleted, specChanged], settings),
], settings.metadata)

export const webhookConfigurations = () => [
  mutatingWebhookConfiguration(webhookService), validatingWebhookConfiguration(webhookService),
]
