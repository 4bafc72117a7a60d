import { X509Certificate } from 'node:crypto'
import { issueAuthority, issueLeaf, type Issued } from '../authority.ts'
import { bundlePem, unique } from './ca-bundle.ts'
import type { RotationTimes, Step } from './plan.ts'
import { overlapAnnotation, rotateAnnotation, type SecretContents, type SecretFields, type SigningAuthority } from './secret-contents.ts'

const day = 24 * 3600 * 1000

export interface Circumstances {
  readonly fields: SecretFields | undefined
  readonly contents: SecretContents | undefined
  readonly names: readonly string[]
  readonly now: Date
  readonly times: RotationTimes
}

/** What the Secret is to hold after a step. Keys and annotations that are not ours stay as they are. */
export async function carryOut (step: Exclude<Step, { action: 'none' }>, circumstances: Circumstances): Promise<SecretFields> {
  const { fields, contents, now } = circumstances
  const data = fields?.data ?? {}
  const { [rotateAnnotation]: requested, ...annotations } = fields?.annotations ?? {}
  /** A wish for what this step does not do is left for a later one. */
  const unmet = requested === undefined ? annotations : { ...annotations, [rotateAnnotation]: requested }
  switch (step.action) {
    case 'issue': {
      const authority = await newAuthority(circumstances)
      const leaf = await newLeaf(authority, circumstances)
      return { data: { ...data, ...served(leaf), ...signing(authority, step.trust) }, annotations }
    }
    case 'renew-authority': {
      const { pair: { certificate, key } } = step.serving
      const authority = await newAuthority(circumstances)
      return { data: { ...data, 'tls.crt': certificate, 'tls.key': key, ...signing(authority, step.trust) }, annotations }
    }
    case 'renew-certificate': {
      const authority = contents?.authority as SigningAuthority
      return { data: { ...data, ...served(await newLeaf(authority, circumstances)) }, annotations: requested === 'certificate' ? annotations : unmet }
    }
    case 'extend-trust': {
      const bundle = bundlePem(unique([...contents?.bundle ?? [], ...step.trust]))
      return { data: { ...data, 'ca.crt': Buffer.from(bundle) }, annotations: { ...unmet, [overlapAnnotation]: now.toISOString() } }
    }
    case 'end-overlap': {
      const { [overlapAnnotation]: _, ...rest } = unmet
      const { parsed } = contents?.authority as SigningAuthority
      return { data: { ...data, 'ca.crt': Buffer.from(parsed.toString()) }, annotations: rest }
    }
  }
}

const newAuthority = async ({ now, times }: Circumstances): Promise<Issued> =>
  await issueAuthority({ commonName: 'dittofs-operator CA', days: times.authorityLifetime / day, now })

async function newLeaf (authority: Issued, { names, now, times }: Circumstances): Promise<Issued> {
  // A certificate that outlives its authority is of no use to anybody.
  const left = new X509Certificate(authority.certificate).validToDate.getTime() - now.getTime()
  return await issueLeaf(authority, { commonName: 'dittofs-operator', names, days: Math.min(times.certificateLifetime, left) / day, now })
}

const served = ({ certificate, key }: Issued) => ({ 'tls.crt': Buffer.from(certificate), 'tls.key': Buffer.from(key) })

const signing = ({ certificate, key }: Issued, trust: readonly X509Certificate[]) => ({
  'ca.crt': Buffer.from(bundlePem(unique([new X509Certificate(certificate), ...trust]))),
  'ca.key': Buffer.from(key),
})
