import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { contains } from '../controller/plan/contains.ts'
import { defaultInstallation, name } from '../manifests/install/installation.ts'
import { mutatingWebhookConfiguration, validatingWebhookConfiguration } from '../manifests/webhooks.ts'
import { parseBundle } from '../tls/self/ca-bundle.ts'
import { webhookKinds, webhookResource } from '../tls/self/webhook-trust.ts'
import { find, ok, several, warning, wrong, type Diagnosis, type Patient, type Step } from './examination.ts'
import { installed } from './installed.ts'
import type { LabelSelector } from './label-selector.ts'

interface ClientConfig {
  readonly caBundle?: string
  readonly url?: string
  readonly service?: { readonly name?: string, readonly namespace?: string, readonly port?: number, readonly path?: string }
}
export interface Webhook {
  readonly name: string
  readonly clientConfig?: ClientConfig
  readonly failurePolicy?: string
  readonly timeoutSeconds?: number
  readonly rules?: readonly object[]
  readonly namespaceSelector?: LabelSelector
}
interface Configuration extends KubernetesObject { readonly webhooks?: readonly Webhook[] }

const [mutatingKind, validatingKind] = webhookKinds

const webhookOf = async (patient: Patient, kind: typeof webhookKinds[number]) =>
  (await find(patient, webhookResource(kind), name) as Configuration | undefined)?.webhooks?.[0]
export const mutatingOf = async (patient: Patient) => await webhookOf(patient, mutatingKind)
export const validatingOf = async (patient: Patient) => await webhookOf(patient, validatingKind)

export const bundleOf = (webhook: Webhook | undefined): string => Buffer.from(webhook?.clientConfig?.caBundle ?? '', 'base64').toString('latin1')

/** Differences in the fields that decide whether the API server sends a review, and where it sends it. */
function deviations ({ clientConfig: { service } = {}, rules }: Webhook, wanted: Webhook): string[] {
  const fields: readonly (readonly [field: string, found: unknown, wanted: unknown])[] = [
    ['rules', rules, wanted.rules],
    ...service
      ? (['namespace', 'name', 'port', 'path'] as const).map(field =>
          [`clientConfig.service.${field}`, field === 'port' ? service.port ?? 443 : service[field], wanted.clientConfig?.service?.[field]] as const)
      : [],
  ]
  return fields.flatMap(([field, found, should]) =>
    contains(should, found) ? [] : [`${field} is ${JSON.stringify(found ?? null)}, and should be ${JSON.stringify(should)}`])
}

/** Settings that weaken the webhook, but may be intended. */
function weaknesses ({ failurePolicy = 'Fail', timeoutSeconds = 10, namespaceSelector = {} }: Webhook, wanted: Webhook): string[] {
  const selects = contains(wanted.namespaceSelector, namespaceSelector) && contains(namespaceSelector, wanted.namespaceSelector)
  const consequence = failurePolicy === 'Fail' ? 'no DittoServer can be written' : 'DittoServers are stored unchecked'
  return [
    ...(failurePolicy === wanted.failurePolicy ? [] : [`failurePolicy is ${failurePolicy}: while no replica answers, ${consequence}`]),
    ...(timeoutSeconds < 2 ? [`timeoutSeconds is ${timeoutSeconds}: too short for a lookup`] : []),
    ...(selects ? [] : [`namespaceSelector is ${JSON.stringify(namespaceSelector)}: DittoServers in other namespaces are not checked`]),
  ]
}

interface Judged { readonly kind: string, readonly webhook: Webhook | undefined, readonly wanted: Webhook, readonly isRequired: boolean }

async function judge (patient: Patient, { kind, webhook, wanted, isRequired }: Judged): Promise<Diagnosis> {
  const { reapply = 'install it: docs/install.md' } = await installed(patient) ?? {}
  const bad = isRequired ? wrong : warning
  const consequence = isRequired ? '' : '; no defaults are filled in before an object is checked'
  if (!webhook) return bad(`there is no ${kind} ${name}${consequence}`, reapply)
  if (parseBundle(bundleOf(webhook)).length === 0) {
    const logs = `kubectl -n ${patient.namespace} logs deployment/${name}`
    return bad(`it has no caBundle, so the API server trusts no certificate of the webhook${consequence}`, logs)
  }
  const deviating = deviations(webhook, wanted)
  if (deviating.length > 0) return bad(several(deviating), reapply)
  const weak = weaknesses(webhook, wanted)
  if (weak.length > 0) return warning(several(weak), reapply)
  const { url, service } = webhook.clientConfig ?? {}
  return ok(url === undefined ? `points to the Service ${service?.namespace ?? ''}/${service?.name ?? ''}` : `points to ${url}`)
}

const settings = async (patient: Patient) =>
  (await installed(patient))?.installation ?? { ...defaultInstallation, namespace: patient.namespace }
const first = ({ webhooks }: { readonly webhooks: readonly object[] }) => webhooks[0] as Webhook

export const mutating: Step = {
  title: 'Mutating webhook',
  looksAt: 'the same of the MutatingWebhookConfiguration',
  examine: async patient => {
    const wanted = first(mutatingWebhookConfiguration(await settings(patient)))
    return await judge(patient, { kind: mutatingKind.kind, webhook: await mutatingOf(patient), wanted, isRequired: false })
  },
}

export const validating: Step = {
  title: 'Validating webhook',
  looksAt: 'rules, Service, CA, failurePolicy, timeout and selector of the ValidatingWebhookConfiguration',
  examine: async patient => {
    const wanted = first(validatingWebhookConfiguration(await settings(patient)))
    return await judge(patient, { kind: validatingKind.kind, webhook: await validatingOf(patient), wanted, isRequired: true })
  },
}
