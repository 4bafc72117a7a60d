import { webhookService } from '../webhooks.ts'
import { certificateSecret, labels, name } from './installation.ts'
import { both, hasIssuer, no, usesCertManager } from './manifest.ts'
import type { Installation } from './installation.ts'
import type { Manifest, Part } from './manifest.ts'

export const certificateName = `${name}-webhook`
const file = 'cert-manager'
const head = (kind: string, called: string, { namespace }: Installation) =>
  ({ apiVersion: 'cert-manager.io/v1', kind, metadata: { name: called, namespace, labels } })

type Signed = Manifest & { readonly spec: object }

const ca = `${name}-ca`
const selfSigned = `${name}-self-signed`
const day = (days: number) => `${days * 24}h0m0s`
const key = { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' }
const issuedBy = (issuer: string) => ({ group: 'cert-manager.io', kind: 'Issuer', name: issuer })

const issuer = (called: string, spec: object) => (installation: Installation): Signed => ({ ...head('Issuer', called, installation), spec })

/** It is valid for longer than the certificates that it signs, so a new certificate is trusted immediately. */
const caCertificate = (installation: Installation): Signed => ({
  ...head('Certificate', ca, installation),
  spec: {
    secretName: ca,
    issuerRef: issuedBy(selfSigned),
    commonName: ca,
    isCA: true,
    privateKey: { ...key, rotationPolicy: 'Never' },
    duration: day(3650),
    renewBefore: day(365),
  },
})

const certificate = (installation: Installation): Signed => {
  const host = `${webhookService.name}.${installation.namespace}.svc`
  return {
    ...head('Certificate', certificateName, installation),
    spec: {
      secretName: installation.certificateSecret ?? certificateSecret,
      issuerRef: installation.issuerRef ?? issuedBy(ca),
      dnsNames: [host, `${host}.cluster.local`],
      privateKey: key,
      usages: ['server auth', 'digital signature'],
      duration: installation.certificateDuration,
      renewBefore: installation.certificateRenewBefore,
    },
  }
}

/** https://cert-manager.io/docs/concepts/ca-injector/ */
export const injectAnnotation = (namespace: string) => ({ 'cert-manager.io/inject-ca-from': `${namespace}/${certificateName}` })

const ownCa = [issuer(selfSigned, { selfSigned: {} }), caCertificate, issuer(ca, { ca: { secretName: ca } })]

export const certManager: readonly Part[] = [
  ...ownCa.map(manifest => ({ file, when: both(usesCertManager, no(hasIssuer)), manifest })),
  { file, when: usesCertManager, manifest: certificate },
]
