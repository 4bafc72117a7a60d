import { webhookService } from '../webhooks.ts'
import { certificateSecret, labels, name } from './installation.ts'
import { usesCertManager } from './manifest.ts'
import type { Installation } from './installation.ts'
import type { Manifest, Part } from './manifest.ts'

export const certificateName = `${name}-webhook`
const file = 'cert-manager'
const head = (kind: string, called: string, { namespace }: Installation) =>
  ({ apiVersion: 'cert-manager.io/v1', kind, metadata: { name: called, namespace, labels } })

type Signed = Manifest & { readonly spec: object }

const authority = `${name}-ca`
const selfSigned = `${name}-self-signed`
const day = (days: number) => `${days * 24}h0m0s`
const key = { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' }
const issuedBy = (issuer: string) => ({ group: 'cert-manager.io', kind: 'Issuer', name: issuer })

const issuer = (called: string, spec: object) => (installation: Installation): Signed => ({ ...head('Issuer', called, installation), spec })

/** It outlives the certificates that it signs: so a new one of those is trusted from its first moment. */
const authorityCertificate = (installation: Installation): Signed => ({
  ...head('Certificate', authority, installation),
  spec: {
    secretName: authority,
    issuerRef: issuedBy(selfSigned),
    commonName: authority,
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
      secretName: certificateSecret,
      issuerRef: issuedBy(authority),
      dnsNames: [host, `${host}.cluster.local`],
      privateKey: key,
      usages: ['server auth', 'digital signature'],
      duration: day(90),
      renewBefore: day(30),
    },
  }
}

/** https://cert-manager.io/docs/concepts/ca-injector/ */
export const injectAnnotation = (namespace: string) => ({ 'cert-manager.io/inject-ca-from': `${namespace}/${certificateName}` })

export const certManager: readonly Part[] = [
  issuer(selfSigned, { selfSigned: {} }), authorityCertificate, issuer(authority, { ca: { secretName: authority } }), certificate,
].map(manifest => ({ file, when: usesCertManager, manifest }))
