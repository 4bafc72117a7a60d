import { X509Certificate } from 'node:crypto'
import { ApiError } from '../cluster/api-error.ts'
import { createRequest } from '../cluster/api-requests.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { resourcePath } from '../cluster/resource-path.ts'
import { secretResource } from '../cluster/secret.ts'
import * as api from '../dittoserver/api.ts'
import { certificateSecret, name } from '../manifests/install/installation.ts'
import { webhookService } from '../manifests/webhooks.ts'
import { webhookKinds, webhookResource } from '../tls/self/webhook-trust.ts'
import { installedArguments, valueOf } from './deployment.ts'
import { find, ill, unclear, well, type Diagnosis, type Patient, type Step } from './examination.ts'

const configurations = webhookResource(webhookKinds[1])
const slices = { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices' }
const services = { group: '', version: 'v1', resource: 'services' }
const install = 'kubectl apply --server-side -k manifests/default'

interface Webhook {
  readonly clientConfig?: {
    readonly caBundle?: string
    readonly url?: string
    readonly service?: { readonly name?: string, readonly namespace?: string }
  }
  readonly failurePolicy?: string
}

const webhookOf = async (patient: Patient): Promise<Webhook | undefined> =>
  ((await find(patient, configurations, name)) as { webhooks?: Webhook[] } | undefined)?.webhooks?.[0]

export const configuration: Step = {
  title: 'Webhook configuration',
  examine: async patient => {
    const webhook = await webhookOf(patient)
    if (!webhook) return ill(`there is no ValidatingWebhookConfiguration ${name}`, install)
    const { caBundle, url, service } = webhook.clientConfig ?? {}
    if (!caBundle) {
      return ill('it has no caBundle, so the API server trusts no certificate of the webhook', `kubectl -n ${patient.namespace} logs deployment/${name}`)
    }
    if (webhook.failurePolicy !== 'Fail') {
      return unclear(`failurePolicy is ${webhook.failurePolicy ?? 'unset'}: while the webhook is away, objects get in unchecked`, install)
    }
    if (service && service.namespace !== patient.namespace) return ill(`it points to the namespace '${service.namespace ?? ''}'`, install)
    return well(url === undefined ? `points to the Service ${service?.namespace ?? ''}/${service?.name ?? ''}` : `points to ${url}`)
  },
}

export const endpoints: Step = {
  title: 'Service',
  examine: async patient => {
    const { client, namespace, signal } = patient
    if ((await webhookOf(patient))?.clientConfig?.url !== undefined) return well('none is needed: the webhook is reached by its address')
    if (!await find(patient, services, webhookService.name, namespace)) return ill(`there is no Service ${namespace}/${webhookService.name}`, install)
    const { items } = await client.request<{ items: { endpoints?: { conditions?: { ready?: boolean } }[] | null }[] }>({
      verb: 'list',
      method: 'GET',
      path: resourcePath(slices, { namespace }),
      query: { labelSelector: `kubernetes.io/service-name=${webhookService.name}` },
      signal,
    })
    const ready = items.flatMap(slice => slice.endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false).length
    return ready > 0
      ? well(`${ready} ready endpoint${ready === 1 ? '' : 's'}`)
      : ill('no replica is ready behind it', `kubectl -n ${namespace} get pods -l app.kubernetes.io/name=${name}`)
  },
}

const day = 86_400_000

export const certificate: Step = {
  title: 'Certificate',
  examine: async patient => {
    const { namespace } = patient
    const bundle = (await webhookOf(patient))?.clientConfig?.caBundle
    if (!bundle) return unclear('without a caBundle there is nothing to compare it with')
    const secret = await find(patient, secretResource, certificateSecret, namespace)
    const pem = (secret?.data as { 'tls.crt'?: string } | undefined)?.['tls.crt']
    if (!pem) return ill(`the Secret ${namespace}/${certificateSecret} has no tls.crt`, `kubectl -n ${namespace} logs deployment/${name}`)
    const decoded = (text: string) => Buffer.from(text, 'base64').toString()
    return judgeCertificate(decoded(pem), decoded(bundle), `${webhookService.name}.${namespace}.svc`, new Date())
  },
}

/** Whether clients that trust the bundle accept the certificate for the host. Pure. */
export function judgeCertificate (pem: string, bundle: string, host: string, now: Date): Diagnosis {
  const renew = `kubectl -n NAMESPACE annotate secret ${certificateSecret} dittofs.dittofs.com/rotate=certificate --overwrite`
    .replace('NAMESPACE', host.split('.')[1] ?? '')
  try {
    const [leaf] = parse(pem)
    if (!leaf) return ill('tls.crt holds no certificate', renew)
    const authority = parse(bundle).find(candidate => leaf.checkIssued(candidate) && leaf.verify(candidate.publicKey))
    if (!authority) return ill('no authority of the caBundle has signed it', renew)
    const until = (held: X509Certificate) => held.validToDate.getTime() - now.getTime()
    if (until(leaf) <= 0) return ill(`it expired on ${leaf.validTo}`, renew)
    if (until(authority) <= 0) return ill(`its authority expired on ${authority.validTo}`, renew.replace('=certificate', '=authority'))
    if (!leaf.checkHost(host)) return ill(`it does not speak for ${host}`, renew)
    return well(`trusted, for another ${Math.floor(until(leaf) / day)} days`)
  } catch (error) {
    return ill(`it cannot be read: ${(error as Error).message}`, renew)
  }
}

const parse = (pem: string) =>
  (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(text => new X509Certificate(text))

/** In a dry run this class only warns, and no schema knows of it: the warning can come from nobody but the webhook. */
const probe = (namespace: string) => ({
  apiVersion: api.apiVersion,
  kind: api.kind,
  metadata: { generateName: 'doctor-', namespace },
  spec: { storage: { metadataSize: '1Gi', storageClassName: 'this-class-does-not-exist' } },
}) as unknown as KubernetesObject

export const admission: Step = {
  title: 'Admission',
  examine: async patient => {
    const { client, signal } = patient
    const namespace = valueOf(await installedArguments(patient), '--watch-namespace') ?? patient.namespace
    const path = resourcePath({ group: api.group, version: api.version, resource: api.plural }, { namespace })
    const warnings: string[] = []
    const help = 'docs/troubleshooting.md has the cause, by the text of the error'
    try {
      await client.request({ ...createRequest(path, probe(namespace)), query: { dryRun: 'All' }, signal, onWarning: text => warnings.push(text) })
    } catch (error) {
      if (error instanceof ApiError && error.status !== 403) return ill(`a dry run was refused: ${error.message}`, help)
      throw error
    }
    if (warnings.some(text => text.includes('[SC-MISSING]'))) return well('a dry run went through the webhook, which answered')
    const other = warnings[0] === undefined ? '' : `; it warned: ${warnings[0]}`
    const show = `kubectl get validatingwebhookconfiguration ${name} -o yaml`
    return ill(`a dry run did not go through the webhook${other}`, `${show}: its namespaceSelector must match ${namespace}`)
  },
}
