import { quote } from '../dittoserver/quote.ts'
import type { DittoServerSpec } from '../dittoserver/schema.ts'
import type { Facts } from './facts.ts'
import type { Complaint, Need, Rule } from './rule.ts'

/** A field of the spec that names another object. */
export interface Reference {
  readonly kind: 'Secret' | 'StorageClass'
  readonly field: string
  /** On an update, the reference is looked up only if one of these fields changed. */
  readonly when: readonly string[]
  /** Undefined if no object is named. */
  readonly name: (spec: DittoServerSpec) => string | undefined
}

export const volumeClass: Reference = {
  kind: 'StorageClass',
  field: 'spec.storage.storageClassName',
  when: ['spec.storage.storageClassName'],
  // `""` requests volumes without a StorageClass.
  name: ({ storage }) => storage.storageClassName || undefined,
}

export const postgresClass: Reference = {
  kind: 'StorageClass',
  field: 'spec.percona.storageClassName',
  when: ['spec.percona.enabled', 'spec.percona.storageClassName'],
  name: ({ percona }) => (percona.enabled && percona.storageClassName) || undefined,
}

export const s3Credentials: Reference = {
  kind: 'Secret',
  field: 'spec.s3.credentialsSecretRef.secretName',
  when: ['spec.s3.credentialsSecretRef'],
  name: ({ s3 }) => s3.credentialsSecretRef?.secretName,
}

export const signingKey: Reference = {
  kind: 'Secret',
  field: 'spec.identity.jwt.secretRef.name',
  when: ['spec.identity.jwt.secretRef'],
  name: ({ identity: { jwt } }) => jwt.secretRef?.name || undefined,
}

export const adminPassword: Reference = {
  kind: 'Secret',
  field: 'spec.identity.admin.passwordSecretRef.name',
  when: ['spec.identity.admin.passwordSecretRef'],
  name: ({ identity: { admin } }) => admin.passwordSecretRef?.name || undefined,
}

/** Not looked up if Percona is used instead. */
export const postgresConnection: Reference = {
  kind: 'Secret',
  field: 'spec.database.postgresSecretRef.name',
  when: ['spec.database.postgresSecretRef', 'spec.percona.enabled'],
  name: ({ database, percona }) => (!percona.enabled && database.postgresSecretRef?.name) || undefined,
}

export const backupCredentials: Reference = {
  kind: 'Secret',
  field: 'spec.percona.backup.credentialsSecretRef.name',
  when: ['spec.percona.enabled', 'spec.percona.backup.enabled', 'spec.percona.backup.credentialsSecretRef'],
  name: ({ percona }) => (percona.enabled && percona.backup.enabled && percona.backup.credentialsSecretRef?.name) || undefined,
}

/** When a rule that looks up the reference applies, and the facts that it needs. */
export const follows = (reference: Reference): Required<Pick<Rule, 'when' | 'needs'>> => ({
  when: reference.when,
  needs: ({ server }): Need[] => {
    const name = reference.name(server.spec)
    return name === undefined ? [] : [{ kind: reference.kind, name, field: reference.field }]
  },
})

/** The Secret does not exist. `consequence` describes the effect. */
export function secretMissing (
  { field, name }: Reference, spec: DittoServerSpec, facts: Facts, consequence = 'the pod does not start until it exists',
): Complaint[] {
  const secret = name(spec)
  if (secret === undefined || facts.secret(secret).state !== 'absent') return []
  return [{ field, detail: `Secret ${quote(secret)} does not exist; ${consequence}` }]
}

/** The Secret exists, but it does not have the key that `field` names, or the value is empty. */
export function secretKeyMissing (
  { name }: Reference, field: string, key: string | undefined, spec: DittoServerSpec, facts: Facts,
): Complaint[] {
  const secret = name(spec)
  const fact = secret === undefined ? undefined : facts.secret(secret)
  if (fact?.state !== 'present' || key === undefined) return []
  const length = fact.value.lengths.get(key)
  if (length === undefined) return [{ field, detail: `Secret ${quote(secret)} has no key ${quote(key)}` }]
  return length === 0 ? [{ field, detail: `key ${quote(key)} of Secret ${quote(secret)} is empty` }] : []
}
