import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { clockSkew } from '../authority.ts'
import { unique } from './ca-bundle.ts'
import type { SecretContents, ServingCertificate } from './secret-contents.ts'

/** Milliseconds, and shares of a lifetime. */
export interface RotationTimes {
  readonly authorityLifetime: number
  readonly authorityRenewal: number
  readonly certificateLifetime: number
  readonly certificateRenewal: number
  /**
   * How long an old authority stays trusted after the last certificate it signed was replaced. A replica that has not seen
   * the Secret for `staleAfter` is not ready, so this must be longer than that.
   */
  readonly overlap: number
  /** From the moment a new authority is in every webhook configuration until API servers rely on it: their caches lag. */
  readonly settle: number
}

const second = 1000
const hour = 3600 * second
const year = 365 * 24 * hour

export const defaultTimes: RotationTimes = {
  authorityLifetime: 10 * year,
  authorityRenewal: 0.8,
  certificateLifetime: year,
  certificateRenewal: 2 / 3,
  overlap: hour,
  settle: 10 * second,
}

export interface Situation {
  /** Undefined: there is no Secret. */
  readonly secret: SecretContents | undefined
  /** What this process serves and is in its time, with all that it had clients trust for it. */
  readonly memory: { readonly serving: ServingCertificate, readonly trusted: readonly X509Certificate[] } | undefined
  /** What the webhook configurations trust that is not ours, for as long as it is to be taken over. */
  readonly adopt: readonly X509Certificate[]
  /** Since when every webhook of every configuration trusts an authority, as far as this process has seen. */
  readonly publishedSince: (authority: X509Certificate) => Date | undefined
  readonly names: readonly string[]
}

/** A write of the Secret, or none. `trust` is what stays in the bundle besides the authority that signs. */
export type Step =
  /** A new authority with a certificate at once, as there is none to serve meanwhile. */
  | { readonly action: 'issue', readonly reason: string, readonly trust: readonly X509Certificate[] }
  /** A new authority, to be trusted before anything it signs is served. */
  | { readonly action: 'renew-authority', readonly reason: string, readonly serving: ServingCertificate, readonly trust: readonly X509Certificate[] }
  /** A new certificate of the authority that is there. */
  | { readonly action: 'renew-certificate', readonly reason: string }
  | { readonly action: 'extend-trust', readonly reason: string, readonly trust: readonly X509Certificate[] }
  | { readonly action: 'end-overlap', readonly reason: string }
  | { readonly action: 'none', readonly until: Date | undefined }

/** The next step. The same for every replica that sees the same, so whichever writes first does it for all. */
export function plan (situation: Situation, now: Date, times: RotationTimes = defaultTimes): Step {
  const { secret, memory, adopt } = situation
  const { serving, authority } = secret ?? { serving: 'there is no Secret', authority: 'there is no Secret' }
  const trust = unique([...secret?.bundle ?? [], ...memory?.trusted ?? [], ...adopt])

  if (typeof authority === 'string') {
    // What is served goes on being served, and trusted, until a new authority is known everywhere.
    const kept = typeof serving === 'string' ? memory?.serving : serving
    if (!kept) return { action: 'issue', reason: both(serving, authority), trust }
    return { action: 'renew-authority', reason: authority, serving: kept, trust }
  }
  if (typeof serving === 'string') return { action: 'renew-certificate', reason: serving }
  const added = adopt.filter(one => !secret?.bundle.some(known => isSame(known, one)) && !secret?.extra.some(known => isSame(known, one)))
  if (added.length > 0) return { action: 'extend-trust', reason: 'the webhook configurations trust another authority', trust: added }

  const { parsed } = authority
  if (!isSame(serving.signer, parsed)) {
    const since = situation.publishedSince(parsed)
    if (since === undefined) return { action: 'none', until: undefined }
    const settled = new Date(since.getTime() + times.settle)
    if (now < settled) return { action: 'none', until: settled }
    return { action: 'renew-certificate', reason: 'the new authority is trusted everywhere' }
  }
  return inForceStep({ secret: secret as SecretContents, serving, authority: parsed, names: situation.names }, now, times)
}

interface Steady {
  readonly secret: SecretContents
  readonly serving: ServingCertificate
  readonly authority: X509Certificate
  readonly names: readonly string[]
}

/** When the certificate is of the authority that signs: nothing but the clock, the names and a person's wish move it on. */
function inForceStep ({ secret, serving, authority, names }: Steady, now: Date, times: RotationTimes): Step {
  const authorityDue = renewalOf(authority, times.authorityRenewal)
  const certificateDue = renewalOf(serving.certificate, times.certificateRenewal)
  const missing = names.filter(name => !(isIP(name) ? serving.certificate.checkIP(name) : serving.certificate.checkHost(name)))
  const overlapEnd = new Date(Math.max(issuedAt(serving.certificate).getTime(), secret.overlapSince?.getTime() ?? 0) + times.overlap)
  const retiring = secret.bundle.length > 1

  if (secret.requested === 'authority' || now >= authorityDue) {
    const reason = secret.requested ? 'asked for' : 'the authority is due'
    return { action: 'renew-authority', reason, serving, trust: secret.bundle }
  }
  if (secret.requested === 'certificate') return { action: 'renew-certificate', reason: 'asked for' }
  if (now >= certificateDue) return { action: 'renew-certificate', reason: 'the certificate is due' }
  if (missing.length > 0) return { action: 'renew-certificate', reason: `the certificate lacks ${missing.join(', ')}` }
  if (retiring && now >= overlapEnd) return { action: 'end-overlap', reason: 'the overlap is over' }
  const next = [authorityDue, certificateDue, ...retiring ? [overlapEnd] : []]
  return { action: 'none', until: new Date(Math.min(...next.map(Number))) }
}

/** Certificates are made good from a little earlier on. */
const issuedAt = ({ validFromDate }: X509Certificate): Date => new Date(validFromDate.getTime() + clockSkew)

function renewalOf (certificate: X509Certificate, share: number): Date {
  const from = issuedAt(certificate).getTime()
  return new Date(from + share * (certificate.validToDate.getTime() - from))
}

const isSame = (one: X509Certificate, other: X509Certificate) => one.fingerprint256 === other.fingerprint256

const both = (serving: ServingCertificate | string, authority: string) =>
  typeof serving === 'string' && serving !== authority ? `${serving}; ${authority}` : authority
