import { X509Certificate } from 'node:crypto'
import { outOfTime } from '../key-pair.ts'

const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

/** The certificates of a bundle that can be read, each once. What cannot be read is left out: nobody can trust it. */
export function parseBundle (pem: string): X509Certificate[] {
  const found = new Map<string, X509Certificate>()
  for (const block of pem.match(certificateBlock) ?? []) {
    const certificate = readCertificate(block)
    if (certificate) found.set(certificate.fingerprint256, certificate)
  }
  return [...found.values()]
}

/** Each once, in the order given. */
export const unique = (certificates: readonly X509Certificate[]): X509Certificate[] =>
  [...new Map(certificates.map(certificate => [certificate.fingerprint256, certificate])).values()]

export const bundlePem = (certificates: readonly X509Certificate[]): string => certificates.map(certificate => certificate.toString()).join('')

/** Those that clients still accept as authorities. */
export const inForce = (certificates: readonly X509Certificate[], now: Date): X509Certificate[] =>
  certificates.filter(certificate => certificate.ca && outOfTime(termOf(certificate), now) === undefined)

export const termOf = ({ validFromDate, validToDate }: X509Certificate) => ({ notBefore: validFromDate, notAfter: validToDate })

export function hasSigned (authority: X509Certificate, certificate: X509Certificate): boolean {
  try {
    return certificate.checkIssued(authority) && certificate.verify(authority.publicKey)
  } catch {
    return false // a kind of key that OpenSSL does not know
  }
}

function readCertificate (block: string): X509Certificate | undefined {
  try {
    return new X509Certificate(block)
  } catch {
    return undefined
  }
}
