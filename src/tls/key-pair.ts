import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { createSecureContext } from 'node:tls'

/** The contents of the files of a `kubernetes.io/tls` Secret, as cert-manager writes them. */
export interface PemFiles {
  /** The serving certificate, followed by intermediate ones if there are any. */
  readonly certificate: Buffer
  readonly key: Buffer
  readonly ca?: Buffer | undefined
}

/** A serving certificate that was checked: it parses, its key fits, it is in its time, and OpenSSL takes it. */
export interface KeyPair {
  /** PEM. */
  readonly certificate: Buffer
  /** PEM. */
  readonly key: Buffer
  /** PEM: the authorities that came along, if what came along are certificates. Serving does without them. */
  readonly ca?: Buffer
  /** Of the serving certificate, in hexadecimal digits with colons. */
  readonly fingerprint256: string
  readonly serial: string
  readonly notBefore: Date
  readonly notAfter: Date
  /** The host names and addresses that the certificate speaks for. */
  readonly names: readonly string[]
  /** What does not hinder serving, but will make clients refuse the server. */
  readonly warnings: readonly string[]
}

/** A pair that must not be served. The message is one clause that begins with the file: "tls.key does not belong to tls.crt". */
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
  // The last word is OpenSSL's: it has rules of its own, on the size of a key for instance.
  attempt('tls.crt and tls.key cannot be served', () => createSecureContext({ cert: certificate, key }))

  const names = namesOf(leaf)
  const authorities = ca === undefined ? undefined : parseAuthorities(ca)
  const warnings = [
    ...(names.length > 0 ? [] : ['tls.crt has no subject alternative name, so the API server will not accept it']),
    ...(isForServers(leaf) ? [] : ['tls.crt is not meant for servers: its extended key usage lacks serverAuth']),
    ...(authorities === undefined ? [] : doubts(chain, authorities, now)),
  ]
  return {
    certificate,
    key,
    ...(ca !== undefined && Array.isArray(authorities) ? { ca } : {}),
    fingerprint256: leaf.fingerprint256,
    serial: leaf.serialNumber,
    notBefore,
    notAfter,
    names,
    warnings,
  }
}

/** Why clients refuse a certificate at this moment, as in "expired on …", if they do. */
export function outOfTime ({ notBefore, notAfter }: Pick<KeyPair, 'notBefore' | 'notAfter'>, now: Date): string | undefined {
  if (now >= notAfter) return `expired on ${notAfter.toISOString()}`
  if (now < notBefore) return `is not valid before ${notBefore.toISOString()}`
  return undefined
}

const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g
const keyBegin = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/
/** In PKCS #8, and in the older form with a header of its own. */
const encryptedKey = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m
const keyEnd = /-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----/

/** @throws {KeyPairError} unless all of the file is there: OpenSSL would pass over a last certificate that is half written */
function parseCertificates (file: string, pem: Buffer): [X509Certificate, ...X509Certificate[]] {
  const text = pem.toString('latin1')
  if (text.trim() === '') throw new KeyPairError(`${file} is empty`)
  const begun = text.split('-----BEGIN CERTIFICATE-----').length - 1
  if (begun === 0) {
    throw new KeyPairError(`${file} ${keyBegin.test(text) ? 'holds a private key, not a certificate' : 'is not PEM: it has no BEGIN CERTIFICATE line'}`)
  }
  const blocks = text.match(certificateBlock) ?? []
  if (blocks.length < begun) throw new KeyPairError(`${file} is cut off: a BEGIN CERTIFICATE line has no END line`)
  const [first, ...rest] = blocks.map(block => attempt(`${file} holds a certificate that cannot be read`, () => new X509Certificate(block)))
  if (first === undefined) throw new KeyPairError(`${file} holds no certificate`)
  return [first, ...rest]
}

function parseKey (file: string, pem: Buffer): KeyObject {
  const text = pem.toString('latin1')
  if (text.trim() === '') throw new KeyPairError(`${file} is empty`)
  if (!keyBegin.test(text)) {
    const what = text.includes('-----BEGIN CERTIFICATE-----') ? 'holds a certificate, not a private key' : 'is not PEM: it has no BEGIN PRIVATE KEY line'
    throw new KeyPairError(`${file} ${what}`)
  }
  if (!keyEnd.test(text)) throw new KeyPairError(`${file} is cut off: the BEGIN PRIVATE KEY line has no END line`)
  // Told by the text, as OpenSSL's error for it depends on how far its decoders got.
  if (encryptedKey.test(text)) throw new KeyPairError(`${file} is encrypted: a key without a passphrase is needed`)
  return attempt(`${file} holds a key that cannot be read`, () => createPrivateKey(pem))
}

function misfit (chain: readonly X509Certificate[], key: KeyObject): string {
  return chain.some(certificate => certificate.checkPrivateKey(key))
    ? 'tls.crt is in the wrong order: the certificate that tls.key belongs to must be the first'
    : 'tls.key does not belong to tls.crt'
}

/** The certificates, or what is wrong with them. */
function parseAuthorities (ca: Buffer): readonly X509Certificate[] | string {
  try {
    return parseCertificates('ca.crt', ca)
  } catch (error) {
    return (error as KeyPairError).message
  }
}

function doubts (chain: readonly X509Certificate[], authorities: readonly X509Certificate[] | string, now: Date): string[] {
  if (typeof authorities === 'string') return [authorities]
  const signers = authorities.filter(authority => chain.some(certificate => isSignedBy(certificate, authority)))
  const [first] = signers
  if (first === undefined) return ['ca.crt did not sign tls.crt, so clients that trust ca.crt will not trust this server']
  const untimely = signers.map(({ validFromDate, validToDate }) => outOfTime({ notBefore: validFromDate, notAfter: validToDate }, now))
  return untimely.includes(undefined) ? [] : [`ca.crt ${untimely[0]}`]
}

function isSignedBy (certificate: X509Certificate, authority: X509Certificate): boolean {
  // A certificate that signed itself comes with itself as the authority.
  if (certificate.fingerprint256 === authority.fingerprint256) return true
  try {
    return certificate.checkIssued(authority) && certificate.verify(authority.publicKey)
  } catch {
    return false // a kind of key that OpenSSL does not know
  }
}

const serverAuth = '1.3.6.1.5.5.7.3.1'
/** Node calls the extended key usage `keyUsage`; without one, a certificate is for everything. */
const isForServers = ({ keyUsage }: { keyUsage?: string[] }) => keyUsage === undefined || keyUsage.includes(serverAuth)

/** `DNS:localhost, IP Address:127.0.0.1` */
const namesOf = ({ subjectAltName }: X509Certificate): string[] =>
  subjectAltName?.split(', ').map(name => name.slice(name.indexOf(':') + 1)) ?? []

function attempt<Value> (message: string, make: () => Value): Value {
  try {
    return make()
  } catch (cause) {
    throw new KeyPairError(`${message}${reason(cause)}`, { cause })
  }
}

/** OpenSSL's few words, such as "ee key too small". They never hold any of the file. */
function reason (error: unknown): string {
  const { reason } = error as { reason?: unknown }
  return typeof reason === 'string' ? ` (${reason})` : ''
}
