import { X509Certificate } from 'node:crypto'
import { certificateBlocks, outOfTime } from '../key-pair.ts'

/** The readable certificates of a bundle, without duplicates. Unreadable ones are left out, because no client can trust them. */
export function parseBundle (pem: string): X509Certificate[] {
  const found = new Map<string, X509Certificate>()
  for (const block of certificateBlocks(pem)) {
    const certificate = readCertificate(block)
    if (certificate) found.set(certificate.fingerprint256, certificate)
  }
  return [...found.values()]
}

/** Removes duplicates and keeps the order. */
export const unique = (certificates: readonly X509Certificate[]): X509Certificate[] =>
  [...new Map(certificates.map(certificate => [certificate.fingerprint256, certificate])).values()]

export const bundlePem = (certificates: readonly X509Certificate[]): string => certificates.map(certificate => certificate.toString()).join('')

/** The CAs that are valid at this time. Clients accept no others. */
export const inForce = (certificates: readonly X509Certificate[], now: Date): X509Certificate[] =>
  certificates.filter(certificate => certificate.ca && outOfTime(termOf(certificate), now) === undefined)

export const termOf = ({ validFromDate, validToDate }: X509Certificate) => ({ notBefore: validFromDate, notAfter: validToDate })

export function hasSigned (ca: X509Certificate, certificate: X509Certificate): boolean {
  try {
    return certificate.checkIssued(ca) && certificate.verify(ca.publicKey)
  } catch {
    return false // OpenSSL does not support this type of key
  }
}

function readCertificate (block: string): X509Certificate | undefined {
  try {
    return new X509Certificate(block)
  } catch {
    return undefined
  }
}
