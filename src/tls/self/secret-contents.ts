import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { Issued } from '../authority.ts'
import { checkKeyPair, outOfTime, type KeyPair } from '../key-pair.ts'
import { hasSigned, inForce, parseBundle, termOf } from './ca-bundle.ts'

/** `authority` or `certificate`: asks for a rotation now. It is taken away by the write that carries it out. */
export const rotateAnnotation = 'dittofs.dittofs.com/rotate'
/** When authorities were last added that are to be trusted for an overlap only. */
export const overlapAnnotation = 'dittofs.dittofs.com/overlap-since'

/** What of the Secret matters here. */
export interface SecretFields {
  /** Decoded. */
  readonly data: Readonly<Record<string, Buffer>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface ServingCertificate {
  readonly pair: KeyPair
  readonly certificate: X509Certificate
  /** The authority of the bundle that signed it. */
  readonly signer: X509Certificate
}

export interface SigningAuthority extends Issued {
  readonly parsed: X509Certificate
}

/** Each part by itself: where one is broken, the others may still do. A string says what is wrong. */
export interface SecretContents {
  readonly serving: ServingCertificate | string
  /** It signs the next certificate. During a rotation it is not yet the signer of `serving`. */
  readonly authority: SigningAuthority | string
  /** Of ca.crt: what clients are to trust on our account. */
  readonly bundle: readonly X509Certificate[]
  /** Of trust.crt: what clients are to trust besides, for as long as a person keeps it there. */
  readonly extra: readonly X509Certificate[]
  /** There is a trust.crt, but no authority in it that is in force. */
  readonly extraUseless: boolean
  readonly requested: 'authority' | 'certificate' | undefined
  readonly overlapSince: Date | undefined
}

export function readContents ({ data, annotations }: SecretFields, now: Date): SecretContents {
  const bundle = inForce(parseBundle(text(data['ca.crt'])), now)
  const requested = annotations[rotateAnnotation]
  const extra = inForce(parseBundle(text(data['trust.crt'])), now)
  const overlapSince = new Date(annotations[overlapAnnotation] ?? NaN)
  return {
    serving: readServing(data, bundle, now),
    authority: readAuthority(data, bundle, now),
    bundle,
    extra,
    extraUseless: text(data['trust.crt']).trim() !== '' && extra.length === 0,
    requested: requested === 'authority' || requested === 'certificate' ? requested : undefined,
    // A time to come would put off the end of the overlap.
    overlapSince: overlapSince <= now ? overlapSince : undefined,
  }
}

function readServing (data: SecretFields['data'], bundle: readonly X509Certificate[], now: Date): ServingCertificate | string {
  const { 'tls.crt': crt, 'tls.key': key, 'ca.crt': ca } = data
  if (crt === undefined || key === undefined) return `${crt === undefined ? 'tls.crt' : 'tls.key'} is missing`
  try {
    const pair = checkKeyPair({ certificate: crt, key, ca }, now)
    const certificate = new X509Certificate(crt)
    const signer = bundle.find(authority => hasSigned(authority, certificate))
    return signer ? { pair, certificate, signer } : 'no authority of ca.crt signed tls.crt'
  } catch (error) {
    return (error as Error).message
  }
}

function readAuthority (data: SecretFields['data'], bundle: readonly X509Certificate[], now: Date): SigningAuthority | string {
  const key = text(data['ca.key'])
  if (key === '') return 'ca.key is missing'
  let privateKey
  try {
    privateKey = createPrivateKey(key)
  } catch {
    return 'ca.key cannot be read'
  }
  const parsed = bundle.find(authority => authority.checkPrivateKey(privateKey))
  if (!parsed) return 'ca.key belongs to no authority of ca.crt that is in force'
  const untimely = outOfTime(termOf(parsed), now)
  return untimely === undefined ? { parsed, certificate: parsed.toString(), key } : `the authority ${untimely}`
}

const text = (value: Buffer | undefined): string => value?.toString('latin1') ?? ''
