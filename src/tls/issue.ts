import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'

/** A certificate with its key. */
export interface Issued {
  /** PEM. */
  readonly certificate: string
  /** PEM, PKCS #8. Only the owner may ever read it. */
  readonly key: string
}

interface Term {
  readonly days: number
  readonly now?: Date
}

const day = 24 * 3600 * 1000
/** Milliseconds. Certificates are valid from this time before their issue, for clients whose clock is behind. */
export const clockSkew = 3600 * 1000

const validity = ({ days, now = new Date() }: Term) => ({
  notBeforeDate: new Date(now.getTime() - clockSkew),
  notAfterDate: new Date(now.getTime() + days * day),
})

/** Loaded on first use: certificates are issued once every few months, and the ASN.1 library of this package takes long to load. */
const selfsigned = async () => await import('selfsigned')
const elliptic = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const

/**
 * A CA that can sign server certificates, but no further CAs.
 *
 * The common name ends with random digits. `selfsigned` does not write key identifiers. So a client that trusts an old and a new CA during
 * a rotation can only use their names to find the CA that signed a certificate.
 */
export async function issueCa ({ commonName, ...term }: Term & { readonly commonName: string }): Promise<Issued> {
  const { generate } = await selfsigned()
  const { cert, private: key } = await generate([{ name: 'commonName', value: `${commonName} ${randomBytes(4).toString('hex')}` }], {
    ...elliptic,
    ...validity(term),
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  })
  return { certificate: cert, key }
}

/**
 * A serving certificate for host names and addresses. They are written only as subject alternative names. Clients ignore the common name,
 * and it is limited to 64 characters.
 */
export async function issueLeaf (
  ca: Issued, { commonName, names, ...term }: Term & { readonly commonName: string, readonly names: readonly string[] }
): Promise<Issued> {
  const { generate } = await selfsigned()
  const { cert, private: key } = await generate([{ name: 'commonName', value: commonName }], {
    ...elliptic,
    ...validity(term),
    ca: { cert: ca.certificate, key: ca.key },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: names.map(name => isIP(name) ? { type: 7, ip: name } : { type: 2, value: name }) },
    ],
  })
  return { certificate: cert, key }
}

/** The names of a Service in the DNS of the cluster. The API server calls a webhook by the third name. */
export const serviceNames = ({ name, namespace }: { readonly name: string, readonly namespace: string }): string[] =>
  [name, `${name}.${namespace}`, `${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`]
