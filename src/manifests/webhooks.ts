import * as api from '../dittoserver/api.ts'

/** The address of the webhook for the API server, in an installation. */
export const webhookService = { namespace: 'dittofs-system', name: 'dittofs-operator-webhook', port: 443 } as const

/** Whether the API server requires an answer of the webhook, and for which objects it is called. */
export interface WebhookPolicy {
  readonly timeoutSeconds: number | string
  readonly validatingFailurePolicy: string
  readonly mutatingFailurePolicy: string
  readonly namespaceSelector: object | string
  readonly objectSelector: object | string
}

export const defaultWebhookPolicy: WebhookPolicy = {
  // Long enough for a lookup under load, and short enough for a user at a terminal. For debugging, 30 seconds let the API server report
  // the underlying network error instead of its own timeout.
  timeoutSeconds: 5,
  // Fails closed, because some checks exist only in the webhook.
  validatingFailurePolicy: 'Fail',
  // Fails open, because the CRD has the same defaults.
  mutatingFailurePolicy: 'Ignore',
  namespaceSelector: {},
  objectSelector: {},
}

const notBeingDeleted = { name: 'not-being-deleted', expression: '!has(object.metadata.deletionTimestamp)' }
const specChanged = {
  name: 'spec-changed',
  expression: 'request.operation != "UPDATE" || !has(object.spec) || !has(oldObject.spec) || object.spec != oldObject.spec',
}

/** The differences between installations. */
export interface WebhookSettings {
  readonly namespace: string
  /** The only namespace whose servers the webhook reviews; absent: all namespaces. */
  readonly watchNamespace?: string | undefined
  readonly caBundle?: string | undefined
  readonly metadata?: object
  readonly webhook: WebhookPolicy
}

// Every field that the API server would default is set explicitly: otherwise Argo CD would always show a difference.
const webhook = (verb: string, failurePolicy: string, matchConditions: object[], settings: WebhookSettings) => ({
  name: `${verb}.${api.plural}.${api.group}`,
  admissionReviewVersions: ['v1'],
  clientConfig: {
    ...(settings.caBundle === undefined ? {} : { caBundle: settings.caBundle }),
    service: { ...webhookService, namespace: settings.namespace, path: verb === 'default' ? '/mutate' : '/validate' },
  },
  rules: [{ apiGroups: [api.group], apiVersions: [api.version], operations: ['CREATE', 'UPDATE'], resources: [api.plural], scope: 'Namespaced' }],
  failurePolicy,
  matchPolicy: 'Equivalent',
  namespaceSelector: settings.watchNamespace === undefined
    ? settings.webhook.namespaceSelector
    : { matchLabels: { 'kubernetes.io/metadata.name': settings.watchNamespace } },
  objectSelector: settings.webhook.objectSelector,
  matchConditions,
  sideEffects: 'None',
  timeoutSeconds: settings.webhook.timeoutSeconds,
})

const configuration = (kind: string, webhooks: object[], metadata: object = {}) => ({
  apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name: 'dittofs-operator', ...metadata }, webhooks,
})

export const mutatingWebhookConfiguration = (settings: WebhookSettings) => configuration('MutatingWebhookConfiguration', [
  { ...webhook('default', settings.webhook.mutatingFailurePolicy, [notBeingDeleted], settings), reinvocationPolicy: 'Never' },
], settings.metadata)

export const validatingWebhookConfiguration = (settings: WebhookSettings) => configuration('ValidatingWebhookConfiguration', [
  webhook('validate', settings.webhook.validatingFailurePolicy, [notBeingDeleted, specChanged], settings),
], settings.metadata)

const standalone: WebhookSettings = { ...webhookService, webhook: defaultWebhookPolicy }

export const webhookConfigurations = () => [mutatingWebhookConfiguration(standalone), validatingWebhookConfiguration(standalone)]
