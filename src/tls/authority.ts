import { isIP } from 'node:net'
import { generate } from 'selfsigned'

export interface Issued {
  /** PEM. */
  readonly certificate: string
  /** PEM, PKCS #8. */
  readonly key: string
}

const day = 24 * 3600 * 1000
/** A certificate is good from a little earlier on, for clocks that are behind. */
const clockSkew = 3600 * 1000

const validity = (days: number, now: Date) => ({
  notBeforeDate: new Date(now.getTime() - clockSkew), notAfterDate: new Date(now.getTime() + days * day),
})
const elliptic = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const

/** A certificate authority of our own. */
export async function issueAuthority (commonName: string, days: number, now = new Date()): Promise<Issued> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: commonName }], {
    ...elliptic,
    ...validity(days, now),
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  })
  return { certificate: cert, key }
}

/** A serving certificate for host names and addresses. The first name is also its common name. */
export async function issueLeaf (authority: Issued, names: readonly string[], days: number, now = new Date()): Promise<Issued> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: names[0]?.slice(0, 64) ?? '' }], {
    ...elliptic,
    ...validity(days, now),
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
