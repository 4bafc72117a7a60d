import { quote } from '../dittoserver/quote.ts'
import * as schema from '../dittoserver/schema.ts'
import { fits } from './cel.ts'
import type { Fact, StorageClassFact } from './facts.ts'
import { follows, postgresClass, volumeClass, type Reference } from './reference.ts'
import type { Complaint, Need, Rule, Subject } from './rule.ts'

/** Maximum number of alternatives in a message: a long list of names is not helpful. */
const mostAlternatives = 8

function alternatives (fact: Fact<readonly StorageClassFact[]>): string {
  if (fact.state !== 'present') return ''
  if (fact.value.length === 0) return '; the cluster has none'
  const names = fact.value.slice(0, mostAlternatives).map(({ name }) => quote(name)).join(', ')
  const more = fact.value.length - mostAlternatives
  return `; available: ${names}${more > 0 ? ` and ${more} more` : ''}`
}

/** The list of names only improves the message. */
const followsClass = (reference: Reference): Pick<Rule, 'when' | 'needs'> => {
  const { when, needs } = follows(reference)
  return {
    when,
    needs: (subject): Need[] => {
      const asked = needs(subject)
      return asked.length > 0 ? [...asked, { kind: 'StorageClasses' }] : []
    },
  }
}

const missing = ({ field, when, name }: Reference, { server, facts }: Subject): Complaint[] => {
  const className = name(server.spec)
  if (className === undefined || facts.storageClass(className).state !== 'absent') return []
  return [{ field, restsOn: when, problem: 'Not found', found: className, detail: `no such StorageClass${alternatives(facts.storageClasses())}` }]
}

const classes = [
  { name: 'gp3', isDefault: true, allowVolumeExpansion: true },
  { name: 'standard', isDefault: false, allowVolumeExpansion: true },
]

export const storageClassMissing: Rule = {
  id: 'SC-MISSING',
  severity: 'deny',
  restsOnCluster: true,
  summary: 'The StorageClass of the volumes must exist. `""` requests volumes without a class and is not looked up.',
  ...followsClass(volumeClass),
  judge: subject => missing(volumeClass, subject),
  example: { spec: { storage: { storageClassName: 'fast' } }, cluster: { storageClasses: classes } },
}

export const perconaStorageClassMissing: Rule = {
  id: 'PG-SC-MISSING',
  severity: 'deny',
  restsOnCluster: true,
  summary: 'The StorageClass of the PostgreSQL volumes must exist.',
  ...followsClass(postgresClass),
  judge: subject => missing(postgresClass, subject),
  example: { spec: { percona: { enabled: true, storageClassName: 'fast' } }, cluster: { storageClasses: classes, percona: true } },
}

/** Whether volumes are needed and no StorageClass is named. `""` is an explicit choice. */
const withoutClass = ({ spec: { storage, percona } }: Subject['server']): string[] => [
  ...(storage.storageClassName === undefined ? [volumeClass.field] : []),
  ...(percona.enabled && percona.storageClassName === undefined ? [postgresClass.field] : []),
]

export const noDefaultClass: Rule = {
  id: 'SC-NO-DEFAULT',
  severity: 'warn',
  operations: ['CREATE'],
  summary: 'No StorageClass is named and the cluster has no default one: volumes would stay Pending.',
  needs: ({ server }) => withoutClass(server).map(field => ({ kind: 'StorageClasses', field })),
  judge: ({ server, facts }) => {
    const fields = withoutClass(server)
    const fact = fields.length > 0 ? facts.storageClasses() : undefined
    if (fact?.state !== 'present' || fact.value.some(({ isDefault }) => isDefault)) return []
    return fields.map(field => ({ field, detail: `not set, and no StorageClass is the default: volumes stay Pending${alternatives(fact)}` }))
  },
  example: { cluster: { storageClasses: [{ name: 'standard', isDefault: false, allowVolumeExpansion: true }] } },
}

const field = 'spec.storage.storageClassName'

export const storageClassChange: Rule = {
  id: 'SC-CHANGE',
  severity: 'deny',
  operations: ['UPDATE'],
  summary: 'The StorageClass of existing volumes cannot change.',
  cel: [{
    at: 'spec.storage',
    rule: `has(oldSelf.storageClassName) && !${fits('oldSelf.storageClassName', schema.storageClassSyntax)} || has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)`,
    fieldPath: '.storageClassName',
    reason: 'FieldValueForbidden',
    message: 'volumes keep their StorageClass: create a second DittoServer and copy the data over [SC-CHANGE]',
  }],
  judge: ({ server, old }) => {
    const [before, after] = [old?.spec.storage.storageClassName, server.spec.storage.storageClassName]
    if (!old || before === after) return []
    return [{
      field,
      problem: 'Forbidden',
      found: after,
      detail: `volumes keep their StorageClass (${before === undefined ? 'the default' : quote(before)}); create a second DittoServer and copy the data over`,
    }]
  },
  example: { spec: { storage: { storageClassName: 'gp3' } }, oldSpec: { storage: { storageClassName: 'standard' } }, cluster: { storageClasses: classes } },
}
