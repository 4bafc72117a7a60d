import { gather } from '../admission/gather.ts'
import { mutate, withPatch } from '../admission/mutate.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { toStored } from '../dittoserver/dittoserver.ts'
import { isUnreadable, type Manifest, type Unreadable } from '../embedded/manifests.ts'
import type { Finding } from '../rules/finding.ts'
import { judge, prepare } from '../rules/judge.ts'
import type { Policy } from '../rules/policy.ts'
import { applied, type Stored } from './apply.ts'
import { decodingFindings } from './decoding.ts'
import { manifestRules } from './manifest-rules.ts'
import { remark, type Remark, type Result } from './result.ts'

export interface Surroundings {
  readonly cluster: Cluster
  readonly policy: Policy
  /** The object in the cluster; undefined if it is new. */
  readonly stored: (manifest: Manifest) => Promise<Stored | undefined>
  readonly warningsAsErrors: boolean
}

/** Time limit for the lookups of one object, in milliseconds. */
const lookupBudget = 10_000

const found = (rule: keyof typeof manifestRules, field: string, detail: string): Finding =>
  ({ rule, severity: manifestRules[rule].severity, field, detail })

/** All findings about a manifest, including those of kubectl and the API server. Rejects only if the stored object cannot be read. */
export async function judgeManifest (manifest: Manifest | Unreadable, surroundings: Surroundings): Promise<Result> {
  const { file, line, source } = manifest
  if (isUnreadable(manifest)) {
    const errors = [remark(found('MANIFEST', '', manifest.problem), line)]
    return { file, line, source, namespace: '', name: '', allowed: false, errors, warnings: [] }
  }
  const remarks = await remarksOn(manifest, surroundings)
  const errors = remarks.filter(({ severity }) => severity === 'deny')
  const warnings = remarks.filter(({ severity }) => severity === 'warn')
  const allowed = errors.length === 0 && !(surroundings.warningsAsErrors && warnings.length > 0)
  const { namespace, name } = manifest
  return { file, line, source, namespace, name, allowed, errors, warnings }
}

async function remarksOn (manifest: Manifest, surroundings: Surroundings): Promise<Remark[]> {
  const stored = await surroundings.stored(manifest)
  const twice = manifest.duplicates().map(({ key, line }) => remark(found('DUPLICATE-KEY', key, 'this key occurs twice; the last value is used'), line))
  const findings = await findingsOn(manifest, stored, surroundings)
    // An object that cannot be judged must not pass, and must not affect the others.
    .catch((error: unknown) => [found('FAULT', '', `could not be judged, because of a bug in dittofs-operator: ${(error as Error).message}`)])
  return [...twice, ...findings.map(finding => remark(finding, manifest.lineOf(finding.field)))]
}

async function findingsOn (
  { object: manifest, namespace }: Manifest, stored: Stored | undefined, { cluster, policy }: Surroundings,
): Promise<Finding[]> {
  const object = asAdmitted(manifest, stored)
  const prepared = prepare({ operation: stored ? 'UPDATE' : 'CREATE', object, oldObject: stored?.object }, policy)
  const { errors, warnings } = judge(prepared, await gather(prepared.needs, cluster, namespace, lookupBudget))
  return [...decodingFindings(manifest, stored?.object), ...errors, ...warnings]
}

/** The object that `/validate` receives after a manifest is applied: merged into the stored object, with all defaults. */
export function asAdmitted (manifest: Manifest['object'], stored: Stored | undefined): Manifest['object'] {
  const merged = stored ? applied(manifest, stored) : manifest
  // The API server fills in the defaults of the CRD before it calls a webhook.
  const defaulted = { ...merged, ...toStored(merged) as object }
  return withPatch(defaulted, mutate(defaulted, stored?.object)) as Manifest['object']
}
