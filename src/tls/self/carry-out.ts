import { X509Certificate } from 'node:crypto'
import { issueCa, issueLeaf, type Issued } from '../issue.ts'
import { bundlePem, unique } from './ca-bundle.ts'
import type { RotationTimes, Step } from './plan.ts'
import { overlapAnnotation, rotateAnnotation, type SecretContents, type SecretFields, type SigningCa } from './secret-contents.ts'

const day = 24 * 3600 * 1000

export interface Circumstances {
  readonly fields: SecretFields | undefined
  readonly contents: SecretContents | undefined
  readonly names: readonly string[]
  readonly now: Date
  readonly times: RotationTimes
}

/** The contents of the Secret after a step. Keys and annotations that the operator does not own are kept unchanged. */
export async function carryOut (step: Exclude<Step, { action: 'none' }>, circumstances: Circumstances): Promise<SecretFields> {
  const { fields, contents, now } = circumstances
  const data = fields?.data ?? {}
  const { [rotateAnnotation]: requested, ...annotations } = fields?.annotations ?? {}
  /** The annotations with the requested rotation: a request that this step does not carry out is kept for a later step. */
  const unmet = requested === undefined ? annotations : { ...annotations, [rotateAnnotation]: requested }
  switch (step.action) {
    case 'issue': {
      const ca = await newCa(circumstances)
      const leaf = await newLeaf(ca, circumstances.names, circumstances)
      return { data: { ...data, ...served(leaf), ...signing(ca, step.trust) }, annotations }
    }
    case 'renew-ca': {
      const { pair: { certificate, key } } = step.serving
      const ca = await newCa(circumstances)
      return { data: { ...data, 'tls.crt': certificate, 'tls.key': key, ...signing(ca, step.trust) }, annotations }
    }
    case 'renew-certificate': {
      const ca = contents?.ca as SigningCa
      return { data: { ...data, ...served(await newLeaf(ca, step.names, circumstances)) }, annotations: requested === 'certificate' ? annotations : unmet }
    }
    case 'extend-trust': {
      const bundle = bundlePem(unique([...contents?.bundle ?? [], ...step.trust]))
      return { data: { ...data, 'ca.crt': Buffer.from(bundle) }, annotations: { ...unmet, [overlapAnnotation]: now.toISOString() } }
    }
    case 'end-overlap': {
      const { [overlapAnnotation]: _, ...rest } = unmet
      const { parsed } = contents?.ca as SigningCa
      return { data: { ...data, 'ca.crt': Buffer.from(parsed.toString()) }, annotations: rest }
    }
  }
}

const newCa = async ({ now, times }: Circumstances): Promise<Issued> =>
  await issueCa({ commonName: 'dittofs-operator CA', days: times.caLifetime / day, now })

async function newLeaf (ca: Issued, names: readonly string[], { now, times }: Circumstances): Promise<Issued> {
  // The certificate must not be valid longer than its CA: clients reject it once the CA has expired.
  const left = new X509Certificate(ca.certificate).validToDate.getTime() - now.getTime()
  return await issueLeaf(ca, { commonName: 'dittofs-operator', names, days: Math.min(times.certificateLifetime, left) / day, now })
}

const served = ({ certificate, key }: Issued) => ({ 'tls.crt': Buffer.from(certificate), 'tls.key': Buffer.from(key) })

const signing = ({ certificate, key }: Issued, trust: readonly X509Certificate[]) => ({
  'ca.crt': Buffer.from(bundlePem(unique([new X509Certificate(certificate), ...trust]))),
  'ca.key': Buffer.from(key),
})
