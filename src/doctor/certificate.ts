import { X509Certificate } from 'node:crypto'
import { secretResource } from '../cluster/secret.ts'
import { certificateName } from '../manifests/install/cert-manager.ts'
import type { Certificates } from '../manifests/install/installation.ts'
import { webhookService } from '../manifests/webhooks.ts'
import { certificateBlocks, speaksFor } from '../tls/key-pair.ts'
import { hasSigned } from '../tls/self/ca-bundle.ts'
import { rotateAnnotation } from '../tls/self/secret-contents.ts'
import { find, ok, unknown, warning, wrong, type Diagnosis, type Step } from './examination.ts'
import { installed } from './installed.ts'
import { bundleOf, mutatingOf, validatingOf } from './webhook-configurations.ts'

const day = 86_400_000
/** A renewal is late if less than this fraction of the lifetime is left. The operator and cert-manager renew when a third is left. */
const late = 0.2

export const certificate: Step = {
  title: 'Certificate',
  looksAt: 'whether the API server trusts the certificate, its names, and how long it lasts',
  examine: async patient => {
    const { namespace } = patient
    const found = await installed(patient)
    const webhook = await validatingOf(patient)
    const bundle = bundleOf(webhook)
    const url = webhook?.clientConfig?.url
    if (!found || bundle === '') return unknown('there is no Deployment, or no caBundle, to compare with')
    const { certificateSecret, installation: { certificates } } = found
    if (certificateSecret === undefined) return unknown('the Deployment mounts no Secret with the certificate')
    const secret = await find(patient, secretResource, certificateSecret, namespace)
    const pem = (secret?.data as { 'tls.crt'?: string } | undefined)?.['tls.crt']
    if (!pem) return wrong(`the Secret ${namespace}/${certificateSecret} has no tls.crt`, remedies[certificates](namespace, certificateSecret))
    const mutating = bundleOf(await mutatingOf(patient))
    return judgeCertificate({
      pem: Buffer.from(pem, 'base64').toString(),
      bundle,
      ...(mutating === '' ? {} : { mutating }),
      host: url === undefined ? `${webhookService.name}.${namespace}.svc` : new URL(url).hostname,
      fix: remedies[certificates](namespace, certificateSecret),
    }, new Date())
  },
}

/** How to get a new certificate, in each mode. */
export const remedies: Readonly<Record<Certificates, (namespace: string, secret: string) => string>> = {
  self: (namespace, secret) => `kubectl -n ${namespace} annotate secret ${secret} ${rotateAnnotation}=certificate --overwrite`,
  'cert-manager': namespace => `kubectl -n ${namespace} describe certificate ${certificateName}`,
  files: (namespace, secret) => `put a certificate, and the CA that signed it into the webhook configurations: Secret ${namespace}/${secret}, docs/certificates.md`,
}

export interface Judged {
  readonly pem: string
  /** CA bundle of the validating configuration. */
  readonly bundle: string
  readonly mutating?: string
  readonly host: string
  readonly fix: string
}

/** Whether clients that trust the bundle accept the certificate for the host. Pure. */
export function judgeCertificate ({ pem, bundle, mutating, host, fix }: Judged, now: Date): Diagnosis {
  try {
    const [leaf] = parse(pem)
    if (!leaf) return wrong('tls.crt contains no certificate', fix)
    const signerIn = (caBundle: string) => parse(caBundle).find(ca => hasSigned(ca, leaf))
    const ca = signerIn(bundle)
    if (!ca) return wrong('it is not signed by a CA in the caBundle of the validating configuration', fix)
    const until = (held: X509Certificate) => held.validToDate.getTime() - now.getTime()
    if (until(leaf) <= 0) return wrong(`it expired on ${leaf.validTo}`, fix)
    if (until(ca) <= 0) return wrong(`its CA expired on ${ca.validTo}`, fix.replace('=certificate', '=ca'))
    if (!speaksFor(leaf, host)) return wrong(`it is not valid for ${host}`, fix)
    if (mutating !== undefined && !signerIn(mutating)) {
      return warning('it is not signed by a CA in the caBundle of the mutating configuration: no defaults are filled in', fix)
    }
    const days = Math.floor(until(leaf) / day)
    const lifetime = leaf.validToDate.getTime() - leaf.validFromDate.getTime()
    return until(leaf) < late * lifetime ? warning(`trusted, but it expires in ${days} days`, fix) : ok(`trusted, and valid for ${days} days`)
  } catch (error) {
    return wrong(`it cannot be read: ${(error as Error).message}`, fix)
  }
}

const parse = (pem: string) => certificateBlocks(pem).map(text => new X509Certificate(text))
