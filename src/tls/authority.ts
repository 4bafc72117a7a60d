import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { generate } from 'selfsigned'

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
/** A certificate is good from a little earlier on, for clients whose clock is behind. */
export const clockSkew = 3600 * 1000

const validity = ({ days, now = new Date() }: Term) => ({
  notBeforeDate: new Date(now.getTime() - clockSkew),
  notAfterDate: new Date(now.getTime() + days * day),
})
const elliptic = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const

/**
 * A certificate authority that can sign servers' certificates, but no further authorities.
 *
 * Random digits are added to the common name. `selfsigned` writes no key identifiers, so a client that trusts an old and a
 * new authority at once, as during a rotation, has only their names to tell which one signed a certificate.
 */
export async function issueAuthority ({ commonName, ...term }: Term & { readonly commonName: string }): Promise<Issued> {
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
 * A serving certificate for host names and addresses. They are its subject alternative names and nothing else: clients do
 * not look at the common name, which may not be longer than 64 characters besides.
 */
export async function issueLeaf (
  authority: Issued, { commonName, names, ...term }: Term & { readonly commonName: string, readonly names: readonly string[] }
): Promise<Issued> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: commonName }], {
    ...elliptic,
    ...validity(term),
    ca: { cert: authority.certificate, key: authority.key },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: names.map(name => isIP(name) ? { type: 7, ip: name } : { type: 2, value: name }) },
    ],
  })
  return { certificate: cert, key }
}

/** The names under which a cluster's DNS knows a Service. The API server calls a webhook by the third. */
export const serviceNames = ({ name, namespace }: { readonly name: string, readonly namespace: string }): string[] =>
  [name, `${name}.${namespace}`, `${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`]
