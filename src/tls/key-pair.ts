import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'

/** The contents of the files of a `kubernetes.io/tls` Secret, as cert-manager writes them. */
export interface PemFiles {
  /** The serving certificate, followed by intermediate certificates, if any. */
  readonly certificate: Buffer
  readonly key: Buffer
  readonly ca?: Buffer | undefined
}

/** A checked serving certificate: it can be parsed, its key matches, it is currently valid, and OpenSSL accepts it. */
export interface KeyPair {
  /** PEM. */
  readonly certificate: Buffer
  /** PEM. */
  readonly key: Buffer
  /** PEM: the content of ca.crt, if all its certificates can be read. It is not needed for serving. */
  readonly ca?: Buffer
  /** Fingerprint of the serving certificate, in hexadecimal digits with colons. */
  readonly fingerprint256: string
  readonly serial: string
  readonly notBefore: Date
  readonly notAfter: Date
  /** The host names and addresses that the certificate is valid for. */
  readonly names: readonly string[]
  /** Problems that do not prevent serving, but make clients reject the server. */
  readonly warnings: readonly string[]
}

/** A pair that must not be served. The message is one clause that starts with the file name: "tls.key does not belong to tls.crt". */
export class KeyPairError extends Error {
  override readonly name = 'KeyPairError'
}

/** @throws {KeyPairError} */
export function checkKeyPair ({ certificate, key, ca }: PemFiles, now = new Date()): KeyPair {
  const chain = parseCertificates('tls.crt', certificate)
  const [leaf] = chain
  const privateKey = parseKey('tls.key', key)
  if (!leaf.checkPrivateKey(privateKey)) throw new KeyPairError(misfit(chain, privateKey))
  const notBefore = leaf.validFromDate
  const notAfter = leaf.validToDate
  const untimely = outOfTime({ notBefore, notAfter }, now)
  if (untimely !== undefined) throw new KeyPairError(`tls.crt ${untimely}`)
  // OpenSSL makes the final check. It has rules of its own, for example on the size of a key.
  attempt('tls.crt and tls.key cannot be served', () => createSecureContext({ cert: certificate, key }))

  const names = namesOf(leaf)
  const caCertificates = ca === undefined ? undefined : parseCaCertificates(ca)
  const warnings = [
    ...(names.length > 0 ? [] : ['tls.crt has no subject alternative name, so the API server will not accept it']),
    ...(isForServers(leaf) ? [] : ['tls.crt is not meant for servers: its extended key usage lacks serverAuth']),
    ...(caCertificates === undefined ? [] : doubts(chain, caCertificates, now)),
  ]
  return {
    certificate,
    key,
    ...(ca !== undefined && Array.isArray(caCertificates) ? { ca } : {}),
    fingerprint256: leaf.fingerprint256,
    serial: leaf.serialNumber,
    notBefore,
    notAfter,
    names,
    warnings,
  }
}

/** Why clients reject a certificate at this time, such as "expired on …". Undefined: the certificate is currently valid. */
export function outOfTime ({ notBefore, notAfter }: Pick<KeyPair, 'notBefore' | 'notAfter'>, now: Date): string | undefined {
  if (now >= notAfter) return `expired on ${notAfter.toISOString()}`
  if (now < notBefore) return `is not valid before ${notBefore.toISOString()}`
  return undefined
}

/** The certificates of a PEM text, each as a separate text. They are not parsed, so they may be unreadable. */
export const certificateBlocks = (pem: string): string[] => pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []

const keyBegin = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/
/** Matches PKCS #8, and the older format, which has a `Proc-Type` header. */
const encryptedKey = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m
const keyEnd = /-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----/

/** @throws {KeyPairError} if the file is incomplete: OpenSSL would ignore a last certificate that is only partly written */
function parseCertificates (file: string, pem: Buffer): [X509Certificate, ...X509Certificate[]] {
  const text = pem.toString('latin1')
  if (text.trim() === '') throw new KeyPairError(`${file} is empty`)
  const begun = text.split('-----BEGIN CERTIFICATE-----').length - 1
  if (begun === 0) {
    throw new KeyPairError(`${file} ${keyBegin.test(text) ? 'contains a private key, not a certificate' : 'is not PEM: it has no BEGIN CERTIFICATE line'}`)
  }
  const blocks = certificateBlocks(text)
  if (blocks.length < begun) throw new KeyPairError(`${file} is cut off: a BEGIN CERTIFICATE line has no END line`)
  const [first, ...rest] = blocks.map(block => attempt(`${file} contains a certificate that cannot be read`, () => new X509Certificate(block)))
  if (first === undefined) throw new KeyPairError(`${file} contains no certificate`)
  return [first, ...rest]
}

function parseKey (file: string, pem: Buffer): KeyObject {
  const text = pem.toString('latin1')
  if (text.trim() === '') throw new KeyPairError(`${file} is empty`)
  if (!keyBegin.test(text)) {
    const what = text.includes('-----BEGIN CERTIFICATE-----') ? 'contains a certificate, not a private key' : 'is not PEM: it has no BEGIN PRIVATE KEY line'
    throw new KeyPairError(`${file} ${what}`)
  }
  if (!keyEnd.test(text)) throw new KeyPairError(`${file} is cut off: the BEGIN PRIVATE KEY line has no END line`)
  // The PEM text shows that the key is encrypted. The error of OpenSSL is not used, because it depends on which decoder fails.
  if (encryptedKey.test(text)) throw new KeyPairError(`${file} is encrypted: a key without a passphrase is needed`)
  return attempt(`${file} contains a key that cannot be read`, () => createPrivateKey(pem))
}

function misfit (chain: readonly X509Certificate[], key: KeyObject): string {
  return chain.some(certificate => certificate.checkPrivateKey(key))
    ? 'tls.crt is in the wrong order: the certificate that tls.key belongs to must be the first'
    : 'tls.key does not belong to tls.crt'
}

/** The certificates, or a message that says what is wrong with them. */
function parseCaCertificates (ca: Buffer): readonly X509Certificate[] | string {
  try {
    return parseCertificates('ca.crt', ca)
  } catch (error) {
    return (error as KeyPairError).message
  }
}

function doubts (chain: readonly X509Certificate[], caCertificates: readonly X509Certificate[] | string, now: Date): string[] {
  if (typeof caCertificates === 'string') return [caCertificates]
  const signers = caCertificates.filter(ca => chain.some(certificate => isSignedBy(certificate, ca)))
  const [first] = signers
  if (first === undefined) return ['ca.crt did not sign tls.crt, so clients that trust ca.crt will not trust this server']
  const untimely = signers.map(({ validFromDate, validToDate }) => outOfTime({ notBefore: validFromDate, notAfter: validToDate }, now))
  return untimely.includes(undefined) ? [] : [`ca.crt ${untimely[0]}`]
}

function isSignedBy (certificate: X509Certificate, ca: X509Certificate): boolean {
  // A self-signed certificate is its own CA.
  if (certificate.fingerprint256 === ca.fingerprint256) return true
  try {
    return certificate.checkIssued(ca) && certificate.verify(ca.publicKey)
  } catch {
    return false // OpenSSL does not support this type of key
  }
}

const serverAuth = '1.3.6.1.5.5.7.3.1'
/** Node calls the extended key usage `keyUsage`. A certificate without one may be used for all purposes. */
const isForServers = ({ keyUsage }: { keyUsage?: string[] }) => keyUsage === undefined || keyUsage.includes(serverAuth)

/** Whether clients accept the certificate for a host name or an address. */
export const speaksFor = (certificate: X509Certificate, name: string): boolean =>
  (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined

/** Node formats the names as `DNS:localhost, IP Address:127.0.0.1`. */
const namesOf = ({ subjectAltName }: X509Certificate): string[] =>
  subjectAltName?.split(', ').map(name => name.slice(name.indexOf(':') + 1)) ?? []

function attempt<Value> (message: string, make: () => Value): Value {
  try {
    return make()
  } catch (cause) {
    throw new KeyPairError(`${message}${reason(cause)}`, { cause })
  }
}

/** The short reason from OpenSSL, such as "ee key too small". It never contains data from the file. */
function reason (error: unknown): string {
  const { reason } = error as { reason?: unknown }
  return typeof reason === 'string' ? ` (${reason})` : ''
}
