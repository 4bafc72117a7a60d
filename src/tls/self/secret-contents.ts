import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { Issued } from '../issue.ts'
import { checkKeyPair, outOfTime, type KeyPair } from '../key-pair.ts'
import { hasSigned, inForce, parseBundle, termOf } from './ca-bundle.ts'

/** `ca` or `certificate`: requests a rotation now. The write that carries out the rotation removes the annotation. */
export const rotateAnnotation = 'dittofs.dittofs.com/rotate'
const rotations = new Map([
  ['ca', 'ca'],
  ['certificate', 'certificate'],
  ['authority', 'ca'], // an earlier name of `ca`
] as const) as ReadonlyMap<string | undefined, 'ca' | 'certificate'>
/** The last time when CAs were added that must be trusted only during an overlap. */
export const overlapAnnotation = 'dittofs.dittofs.com/overlap-since'

/** The fields of the Secret that are used here. */
export interface SecretFields {
  /** The values, decoded from base64. */
  readonly data: Readonly<Record<string, Buffer>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface ServingCertificate {
  readonly pair: KeyPair
  readonly certificate: X509Certificate
  /** The CA in the bundle that signed the certificate. */
  readonly signer: X509Certificate
}

export interface SigningCa extends Issued {
  readonly parsed: X509Certificate
}

/** Each part is read separately: if one is damaged, the others may still be usable. A string says what is wrong with a part. */
export interface SecretContents {
  readonly serving: ServingCertificate | string
  /** The CA that signs the next certificate. During a rotation this is not yet the CA that signed `serving`. */
  readonly ca: SigningCa | string
  /** From ca.crt: the CAs that the operator manages and clients must trust. */
  readonly bundle: readonly X509Certificate[]
  /** From trust.crt: additional CAs that clients must trust. An administrator adds and removes them. */
  readonly extra: readonly X509Certificate[]
  /** trust.crt has content, but it contains no CA that is currently valid. */
  readonly extraUseless: boolean
  readonly requested: 'ca' | 'certificate' | undefined
  readonly overlapSince: Date | undefined
}

export function readContents ({ data, annotations }: SecretFields, now: Date): SecretContents {
  const bundle = inForce(parseBundle(text(data['ca.crt'])), now)
  const extra = inForce(parseBundle(text(data['trust.crt'])), now)
  const overlapSince = new Date(annotations[overlapAnnotation] ?? NaN)
  return {
    serving: readServing(data, bundle, now),
    ca: readCa(data, bundle, now),
    bundle,
    extra,
    extraUseless: text(data['trust.crt']).trim() !== '' && extra.length === 0,
    requested: rotations.get(annotations[rotateAnnotation]),
    // A time in the future would delay the end of the overlap, so it is ignored.
    overlapSince: overlapSince <= now ? overlapSince : undefined,
  }
}

function readServing (data: SecretFields['data'], bundle: readonly X509Certificate[], now: Date): ServingCertificate | string {
  const { 'tls.crt': crt, 'tls.key': key, 'ca.crt': ca } = data
  if (crt === undefined || key === undefined) return `${crt === undefined ? 'tls.crt' : 'tls.key'} is missing`
  try {
    const pair = checkKeyPair({ certificate: crt, key, ca }, now)
    const certificate = new X509Certificate(crt)
    const signer = bundle.find(ca => hasSigned(ca, certificate))
    return signer ? { pair, certificate, signer } : 'no CA of ca.crt signed tls.crt'
  } catch (error) {
    return (error as Error).message
  }
}

function readCa (data: SecretFields['data'], bundle: readonly X509Certificate[], now: Date): SigningCa | string {
  const key = text(data['ca.key'])
  if (key === '') return 'ca.key is missing'
  let privateKey
  try {
    privateKey = createPrivateKey(key)
  } catch {
    return 'ca.key cannot be read'
  }
  const parsed = bundle.find(ca => ca.checkPrivateKey(privateKey))
  if (!parsed) return 'ca.key belongs to no valid CA of ca.crt'
  const untimely = outOfTime(termOf(parsed), now)
  return untimely === undefined ? { parsed, certificate: parsed.toString(), key } : `the CA ${untimely}`
}

const text = (value: Buffer | undefined): string => value?.toString('latin1') ?? ''
