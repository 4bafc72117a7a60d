import type { Fact, StorageClassFact } from './facts.ts'
import type { DittoServerSpec } from '../dittoserver/schema.ts'
import { quote } from './finding.ts'
import type { Complaint, Facts, Rule } from './rule.ts'

/** Most alternatives that a refusal lists: a page of names helps nobody. */
const mostAlternatives = 8

function alternatives (fact: Fact<readonly StorageClassFact[]>): string {
  if (fact.state !== 'present') return ''
  if (fact.value.length === 0) return '; the cluster has none'
  const names = fact.value.map(({ name }) => name)
  const more = names.length > mostAlternatives ? ` and ${names.length - mostAlternatives} more` : ''
  return `; available: ${names.slice(0, mostAlternatives).map(quote).join(', ')}${more}`
}

interface Reference { field: string, name: (spec: DittoServerSpec) => string | undefined }

const missing = ({ field, name }: Reference, spec: DittoServerSpec, facts: Facts): Complaint[] => {
  const className = name(spec)
  if (!className || facts.storageClass(className).state !== 'absent') return []
  return [{ field, problem: 'Not found', found: className, detail: `no such StorageClass${alternatives(facts.storageClasses())}` }]
}

const unverified = ({ field, name }: Reference, spec: DittoServerSpec, facts: Facts): Complaint[] => {
  const className = name(spec)
  const fact = className ? facts.storageClass(className) : undefined
  return fact?.state === 'unknown' ? [{ field, detail: `could not verify StorageClass ${quote(className)}: ${fact.reason}` }] : []
}

const needsOf = ({ name }: Reference): NonNullable<Rule['needs']> => ({ server }) => {
  const className = name(server.spec)
  return className ? [{ kind: 'StorageClass', name: className }, { kind: 'StorageClasses' }] : []
}

const storage: Reference = {
  field: 'spec.storage.storageClassName', name: ({ storage: { storageClassName } }) => storageClassName,
}
const percona: Reference = {
  field: 'spec.percona.storageClassName', name: ({ percona: { enabled, storageClassName } }) => enabled ? storageClassName : undefined,
}

const classes = [
  { name: 'gp3', isDefault: true, allowVolumeExpansion: true },
  { name: 'standard', isDefault: false, allowVolumeExpansion: true },
]

export const storageClassMissing: Rule = {
  id: 'SC-MISSING',
  severity: 'deny',
  restsOnAbsence: true,
  summary: 'The StorageClass of the volumes must exist. `""` asks for volumes without a class and is not looked up.',
  when: storage.name,
  needs: needsOf(storage),
  judge: ({ server, facts }) => missing(storage, server.spec, facts),
  example: { spec: { storage: { storageClassName: 'fast' } }, cluster: { storageClasses: classes } },
}

export const storageClassUnverified: Rule = {
  id: 'SC-UNVERIFIED',
  severity: 'warn',
  summary: 'The StorageClass could not be looked up.',
  when: storage.name,
  needs: needsOf(storage),
  judge: ({ server, facts }) => unverified(storage, server.spec, facts),
  example: { spec: { storage: { storageClassName: 'fast' } }, cluster: { away: 'timed out' } },
}

export const perconaStorageClassMissing: Rule = {
  id: 'PG-SC-MISSING',
  severity: 'deny',
  restsOnAbsence: true,
  summary: 'The StorageClass of the PostgreSQL volumes must exist.',
  when: percona.name,
  needs: needsOf(percona),
  judge: ({ server, facts }) => missing(percona, server.spec, facts),
  example: { spec: { percona: { enabled: true, storageClassName: 'fast' } }, cluster: { storageClasses: classes, percona: true } },
}

export const perconaStorageClassUnverified: Rule = {
  id: 'PG-SC-UNVERIFIED',
  severity: 'warn',
  summary: 'The StorageClass of the PostgreSQL volumes could not be looked up.',
  when: percona.name,
  needs: needsOf(percona),
  judge: ({ server, facts }) => unverified(percona, server.spec, facts),
  example: { spec: { percona: { enabled: true, storageClassName: 'fast' } }, cluster: { away: 'timed out' } },
}

export const noDefaultClass: Rule = {
  id: 'SC-NO-DEFAULT',
  severity: 'warn',
  operations: ['CREATE'],
  summary: 'No StorageClass is named and the cluster has no default one: the volumes would stay Pending.',
  needs: ({ server }) => storage.name(server.spec) === undefined ? [{ kind: 'StorageClasses' }] : [],
  judge: ({ server, facts }) => {
    if (storage.name(server.spec) !== undefined) return []
    const fact = facts.storageClasses()
    if (fact.state !== 'present' || fact.value.some(({ isDefault }) => isDefault)) return []
    return [{ field: storage.field, detail: `not set, and the cluster has no default StorageClass${alternatives(fact)}` }]
  },
  example: { cluster: { storageClasses: [{ name: 'standard', isDefault: false, allowVolumeExpansion: true }] } },
}

export const storageClassChange: Rule = {
  id: 'SC-CHANGE',
  severity: 'deny',
  operations: ['UPDATE'],
  summary: 'The StorageClass of existing volumes cannot change.',
  cel: [{
    at: 'spec.storage',
    rule: 'has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)',
    fieldPath: '.storageClassName',
    reason: 'FieldValueForbidden',
    message: 'the StorageClass of existing volumes cannot change: create a second DittoServer and copy the data over [SC-CHANGE]',
  }],
  judge: ({ server, old }) => {
    if (!old || storage.name(server.spec) === storage.name(old.spec)) return []
    const before = storage.name(old.spec)
    return [{
      field: storage.field,
      problem: 'Forbidden',
      found: storage.name(server.spec),
      detail: `the StorageClass of existing volumes cannot change, it is ${before === undefined ? 'the default class' : quote(before)}; create a second DittoServer and copy the data over`,
    }]
  },
  example: { spec: { storage: { storageClassName: 'gp3' } }, oldSpec: { storage: { storageClassName: 'standard' } }, cluster: { storageClasses: classes } },
}
