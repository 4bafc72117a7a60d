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

// Every field that the API server would default is written out: otherwise Argo CD sees a difference for ever.
const webhook = (verb: string, path: string, failurePolicy: 'Ignore' | 'Fail', matchConditions: object[]) => ({
  name: `${verb}.${api.plural}.${api.group}`,
  admissionReviewVersions: ['v1'],
  clientConfig: { service: { ...webhookService, path } },
  rules: [{ apiGroups: [api.group], apiVersions: [api.version], operations: ['CREATE', 'UPDATE'], resources: [api.plural], scope: 'Namespaced' }],
  failurePolicy,
  matchPolicy: 'Equivalent',
  namespaceSelector: {},
  objectSelector: {},
  matchConditions,
  sideEffects: 'None',
  timeoutSeconds,
})

const configuration = (kind: string, webhooks: object[]) => ({
  apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name: 'dittofs-operator' }, webhooks,
})

/** Defaulting fails open, for the CRD has the same defaults; validation fails closed, for some of it is nowhere else. */
export const webhookConfigurations = () => [
  configuration('MutatingWebhookConfiguration', [
    { ...webhook('default', '/mutate', 'Ignore', [notBeingDeleted]), reinvocationPolicy: 'Never' },
  ]),
  configuration('ValidatingWebhookConfiguration', [
    webhook('validate', '/validate', 'Fail', [notBeingDeleted, specChanged]),
  ]),
]
