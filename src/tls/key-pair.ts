import { createPrivateKey, X509Certificate } from 'node:crypto'

/** A serving certificate that was checked: it parses, its key fits, and it is in its time. */
export interface KeyPair {
  readonly certificate: Buffer
  readonly key: Buffer
  /** The authority that signed it, when it came along. */
  readonly ca?: Buffer
  readonly notAfter: Date
  readonly fingerprint: string
  readonly names: string
}

/** A pair that must not be served. The message is one clause: "tls.key does not belong to tls.crt". */
export class KeyPairError extends Error {
  override readonly name = 'KeyPairError'
}

export interface PemFiles { readonly certificate: Buffer, readonly key: Buffer, readonly ca?: Buffer | undefined }

/** @throws {KeyPairError} */
export function checkKeyPair ({ certificate, key, ca }: PemFiles, now = new Date()): KeyPair {
  const leaf = parse('tls.crt', certificate)
  const privateKey = attempt('tls.key is no private key in PEM, or is cut off', () => createPrivateKey(key))
  if (!leaf.checkPrivateKey(privateKey)) throw new KeyPairError('tls.key does not belong to tls.crt')
  const [from, to] = [new Date(leaf.validFrom), new Date(leaf.validTo)]
  if (to <= now) throw new KeyPairError(`tls.crt expired on ${to.toISOString()}`)
  if (from > now) throw new KeyPairError(`tls.crt is not valid before ${from.toISOString()}`)
  if (ca) parse('ca.crt', ca)
  return {
    certificate, key, ...(ca ? { ca } : {}), notAfter: to, fingerprint: leaf.fingerprint256, names: leaf.subjectAltName ?? leaf.subject,
  }
}

function parse (file: string, pem: Buffer): X509Certificate {
  if (pem.length === 0) throw new KeyPairError(`${file} is empty`)
  return attempt(`${file} is no certificate in PEM, or is cut off`, () => new X509Certificate(pem))
}

/** OpenSSL's own words ("wrong tag") help nobody; they stay in `cause`. */
function attempt<Value> (message: string, make: () => Value): Value {
  try {
    return make()
  } catch (cause) {
    throw new KeyPairError(message, { cause })
  }
}
