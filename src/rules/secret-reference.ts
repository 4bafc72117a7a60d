import type { DittoServerSpec } from '../dittoserver/schema.ts'
import { quote } from './finding.ts'
import type { Complaint, Facts, Rule } from './rule.ts'

/** A place in the spec that names a Secret. */
export interface SecretReference {
  readonly field: string
  /** Name of the Secret, or undefined where nothing is referred to. */
  readonly name: (spec: DittoServerSpec) => string | undefined
  /** What happens until the Secret exists. */
  readonly consequence: string
}

export const secretNeeds = ({ name }: SecretReference): NonNullable<Rule['needs']> => ({ server }) => {
  const secret = name(server.spec)
  return secret ? [{ kind: 'Secret', name: secret }] : []
}

export function secretMissing ({ field, name, consequence }: SecretReference, spec: DittoServerSpec, facts: Facts): Complaint[] {
  const secret = name(spec)
  if (!secret || facts.secret(secret).state !== 'absent') return []
  return [{ field, detail: `Secret ${quote(secret)} does not exist; ${consequence}` }]
}

export function secretUnverified ({ field, name }: SecretReference, spec: DittoServerSpec, facts: Facts): Complaint[] {
  const secret = name(spec)
  const fact = secret ? facts.secret(secret) : undefined
  return fact?.state === 'unknown' ? [{ field, detail: `could not verify Secret ${quote(secret)}: ${fact.reason}` }] : []
}

/** A key that an existing Secret lacks, or holds without content. */
export function secretKeyMissing (field: string, secret: string | undefined, key: string, facts: Facts): Complaint[] {
  const fact = secret ? facts.secret(secret) : undefined
  if (fact?.state !== 'present') return []
  const length = fact.value.lengths.get(key)
  if (length === undefined) return [{ field, detail: `Secret ${quote(secret)} has no key ${quote(key)}` }]
  return length === 0 ? [{ field, detail: `key ${quote(key)} of Secret ${quote(secret)} is empty` }] : []
}
