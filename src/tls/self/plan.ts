import type { X509Certificate } from 'node:crypto'
import { clockSkew } from '../issue.ts'
import { speaksFor } from '../key-pair.ts'
import { unique } from './ca-bundle.ts'
import type { SecretContents, ServingCertificate } from './secret-contents.ts'

/** Milliseconds. `caRenewal` and `certificateRenewal` are fractions of the lifetime. */
export interface RotationTimes {
  readonly caLifetime: number
  readonly caRenewal: number
  readonly certificateLifetime: number
  readonly certificateRenewal: number
  /**
   * How long an old CA stays trusted after its last certificate was replaced. In this time every replica should load the new certificate.
   * A replica that does not becomes not ready when it sees that the validating configuration no longer trusts its certificate.
   */
  readonly overlap: number
  /** How long to wait after a new CA is in every webhook configuration. API servers cache the configurations and see a change later. */
  readonly settle: number
}

const second = 1000
const hour = 3600 * second
const year = 365 * 24 * hour

export const defaultTimes: RotationTimes = {
  caLifetime: 10 * year,
  caRenewal: 0.8,
  certificateLifetime: year,
  certificateRenewal: 2 / 3,
  overlap: hour,
  settle: 10 * second,
}

export interface Situation {
  /** Undefined: there is no Secret. */
  readonly secret: SecretContents | undefined
  /** The certificate that this process serves, if it is currently valid, and the CAs that this process made clients trust. */
  readonly memory: { readonly serving: ServingCertificate, readonly trusted: readonly X509Certificate[] } | undefined
  /** The CAs that the webhook configurations trust, until this process has adopted them. Empty afterwards. */
  readonly adopt: readonly X509Certificate[]
  /** The time since which this process has seen every webhook of every configuration trust a CA. */
  readonly publishedSince: (ca: X509Certificate) => Date | undefined
  readonly names: readonly string[]
}

/** One write of the Secret, or no write. `trust` lists the CAs that the bundle contains in addition to the signing CA. */
export type Step =
  /** A new CA and its first certificate in one write, because there is no certificate to serve in the meantime. */
  | { readonly action: 'issue', readonly reason: string, readonly trust: readonly X509Certificate[] }
  /** A new CA. Clients must trust it before any certificate that it signs is served. */
  | { readonly action: 'renew-ca', readonly reason: string, readonly serving: ServingCertificate, readonly trust: readonly X509Certificate[] }
  /** A new certificate of the existing CA. */
  | { readonly action: 'renew-certificate', readonly reason: string, readonly names: readonly string[] }
  | { readonly action: 'extend-trust', readonly reason: string, readonly trust: readonly X509Certificate[] }
  | { readonly action: 'end-overlap', readonly reason: string }
  | { readonly action: 'none', readonly until: Date | undefined }

/** The next step. Replicas that see the same state plan the same step, so the first replica that writes does it for all. */
export function plan (situation: Situation, now: Date, times: RotationTimes = defaultTimes): Step {
  const { secret, memory, adopt } = situation
  const { serving, ca } = secret ?? { serving: 'there is no Secret', ca: 'there is no Secret' }
  const trust = unique([...secret?.bundle ?? [], ...memory?.trusted ?? [], ...adopt])

  if (typeof ca === 'string') {
    // The current certificate stays served and trusted until every configuration trusts the new CA.
    const kept = typeof serving === 'string' ? memory?.serving : serving
    if (!kept) return { action: 'issue', reason: both(serving, ca), trust }
    return { action: 'renew-ca', reason: ca, serving: kept, trust }
  }
  if (typeof serving === 'string') return { action: 'renew-certificate', reason: serving, names: situation.names }
  const added = adopt.filter(one => !secret?.bundle.some(known => isSame(known, one)) && !secret?.extra.some(known => isSame(known, one)))
  if (added.length > 0) return { action: 'extend-trust', reason: 'the webhook configurations trust another CA', trust: added }

  const { parsed } = ca
  if (!isSame(serving.signer, parsed)) {
    const since = situation.publishedSince(parsed)
    if (since === undefined) return { action: 'none', until: undefined }
    const settled = new Date(since.getTime() + times.settle)
    if (now < settled) return { action: 'none', until: settled }
    return { action: 'renew-certificate', reason: 'the new CA is trusted everywhere', names: allNames(serving, situation.names) }
  }
  return inForceStep({ secret: secret as SecretContents, serving, ca: parsed, names: situation.names }, now, times)
}

interface Steady {
  readonly secret: SecretContents
  readonly serving: ServingCertificate
  readonly ca: X509Certificate
  readonly names: readonly string[]
}

/** The next step if the signing CA has signed the current certificate. Only time, missing names or a requested rotation lead to a write. */
function inForceStep ({ secret, serving, ca, names }: Steady, now: Date, times: RotationTimes): Step {
  const caDue = renewalOf(ca, times.caRenewal)
  const certificateDue = renewalOf(serving.certificate, times.certificateRenewal)
  const missing = names.filter(name => !speaksFor(serving.certificate, name))
  const overlapEnd = new Date(Math.max(issuedAt(serving.certificate).getTime(), secret.overlapSince?.getTime() ?? 0) + times.overlap)
  const retiring = secret.bundle.length > 1

  if (secret.requested === 'ca' || now >= caDue) {
    const reason = secret.requested ? 'asked for' : 'the CA is due'
    return { action: 'renew-ca', reason, serving, trust: secret.bundle }
  }
  if (secret.requested === 'certificate') return { action: 'renew-certificate', reason: 'asked for', names }
  if (now >= certificateDue) return { action: 'renew-certificate', reason: 'the certificate is due', names }
  if (missing.length > 0) {
    const pause = pauseAfter(serving, now, times)
    if (pause !== undefined) return { action: 'none', until: pause }
    return { action: 'renew-certificate', reason: `the certificate lacks ${missing.join(', ')}`, names: allNames(serving, names) }
  }
  if (retiring && now >= overlapEnd) return { action: 'end-overlap', reason: 'the overlap is over' }
  const next = [caDue, certificateDue, ...retiring ? [overlapEnd] : []]
  return { action: 'none', until: new Date(Math.min(...next.map(Number))) }
}

/**
 * Replicas may be configured with different names, for example during a rollout that changes them. Each replica adds its own names and
 * removes none; otherwise the replicas would keep replacing each other's certificates. A renewal by time removes the names that the
 * renewing replica does not need.
 */
const allNames = ({ pair }: ServingCertificate, names: readonly string[]) => [...new Set([...names, ...pair.names])]

/**
 * The end of the pause after the last issue, if it is not over. Replicas of an older version remove names. To avoid rapid replacement, a
 * new certificate is kept for at least the settle time.
 */
function pauseAfter ({ certificate }: ServingCertificate, now: Date, times: RotationTimes): Date | undefined {
  const made = issuedAt(certificate)
  const over = new Date(made.getTime() + times.settle)
  return made <= now && now < over ? over : undefined
}

/** The start of validity lies before the time of issue by `clockSkew`. */
const issuedAt = ({ validFromDate }: X509Certificate): Date => new Date(validFromDate.getTime() + clockSkew)

function renewalOf (certificate: X509Certificate, share: number): Date {
  const from = issuedAt(certificate).getTime()
  return new Date(from + share * (certificate.validToDate.getTime() - from))
}

const isSame = (one: X509Certificate, other: X509Certificate) => one.fingerprint256 === other.fingerprint256

const both = (serving: ServingCertificate | string, ca: string) =>
  typeof serving === 'string' && serving !== ca ? `${serving}; ${ca}` : ca
