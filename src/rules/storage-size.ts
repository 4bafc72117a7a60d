import { compareQuantities } from '../dittoserver/quantity.ts'
import type { DittoServerSpec } from '../dittoserver/schema.ts'
import { quote } from './finding.ts'
import type { Complaint, Need, Rule, Subject } from './rule.ts'

const sizes = ['metadataSize', 'contentSize', 'cacheSize', 'controlPlaneSize'] as const

/** Sizes that are set, in the order of the schema. */
function entries ({ storage }: DittoServerSpec) {
  const set: { size: typeof sizes[number], field: string, value: string }[] = []
  for (const size of sizes) {
    const value = storage[size]
    if (value) set.push({ size, field: `spec.storage.${size}`, value })
  }
  return set
}

const zero = /^0+[A-Z]/

export const sizeZero: Rule = {
  id: 'SIZE-ZERO',
  severity: 'deny',
  summary: 'A volume must have a size above zero.',
  cel: sizes.map(size => ({
    at: 'spec.storage',
    rule: `!has(self.${size}) || !self.${size}.matches('^0+(Gi|Mi|Ti)$')`,
    fieldPath: `.${size}`,
    message: 'must be larger than zero [SIZE-ZERO]',
  })),
  judge: ({ server }) => entries(server.spec)
    .filter(({ value }) => zero.test(value))
    .map(({ field, value }) => ({ field, problem: 'Invalid value', found: value, detail: 'must be larger than zero' })),
  example: { spec: { storage: { contentSize: '0Gi' } } },
}

export const storageShrink: Rule = {
  id: 'STOR-SHRINK',
  severity: 'deny',
  operations: ['UPDATE'],
  summary: 'A volume cannot shrink.',
  cel: sizes.map(size => ({
    at: 'spec.storage',
    rule: `!has(self.${size}) || !has(oldSelf.${size}) || quantity(self.${size}).compareTo(quantity(oldSelf.${size})) >= 0`,
    fieldPath: `.${size}`,
    reason: 'FieldValueForbidden',
    message: 'a volume cannot shrink: create a second DittoServer and copy the data over [STOR-SHRINK]',
  })),
  judge: ({ server, old }) => entries(server.spec).flatMap(({ size, field, value }): Complaint[] => {
    const before = old?.spec.storage[size]
    if (!before || (compareQuantities(value, before) ?? 0) >= 0) return []
    return [{
      field, problem: 'Forbidden', found: value, detail: `a volume cannot shrink, it has ${before}; create a second DittoServer and copy the data over`,
    }]
  }),
  example: { spec: { storage: { cacheSize: '1Gi' } }, oldSpec: { storage: { cacheSize: '5Gi' } } },
}

export const storageImmutable: Rule = {
  id: 'STOR-IMMUTABLE',
  severity: 'deny',
  operations: ['UPDATE'],
  summary: 'The content volume can be neither added nor removed after creation.',
  cel: [{
    at: 'spec.storage',
    rule: '(has(self.contentSize) && self.contentSize.size() > 0) == (has(oldSelf.contentSize) && oldSelf.contentSize.size() > 0)',
    fieldPath: '.contentSize',
    reason: 'FieldValueForbidden',
    message: 'the content volume can be neither added nor removed: create a second DittoServer and copy the data over [STOR-IMMUTABLE]',
  }],
  judge: ({ server, old }) => {
    if (!old || Boolean(server.spec.storage.contentSize) === Boolean(old.spec.storage.contentSize)) return []
    return [{
      field: 'spec.storage.contentSize',
      problem: 'Forbidden',
      detail: `the content volume can be neither added nor removed, it was ${old.spec.storage.contentSize ?? 'not set'}; create a second DittoServer and copy the data over`,
    }]
  },
  example: { spec: { storage: { contentSize: '50Gi' } }, oldSpec: {} },
}

/** Name of the class that the volumes have: the one given, or nothing where the cluster's default was taken. */
const grows = ({ server, old }: Omit<Subject, 'facts'>) => old !== undefined && entries(server.spec).some(({ size, value }) => {
  const before = old.spec.storage[size]
  return before !== undefined && (compareQuantities(value, before) ?? 0) > 0
})

export const expansionUnsupported: Rule = {
  id: 'SC-NO-EXPAND',
  severity: 'deny',
  operations: ['UPDATE'],
  summary: 'Volumes may grow only where their StorageClass has `allowVolumeExpansion: true`.',
  when: spec => spec.storage,
  needs: (subject): Need[] => {
    if (!grows(subject)) return []
    const name = subject.server.spec.storage.storageClassName
    return name === '' ? [] : [name ? { kind: 'StorageClass', name } : { kind: 'StorageClasses' }]
  },
  judge: ({ server, old, facts }) => {
    if (!old || !grows({ server, old })) return []
    const name = server.spec.storage.storageClassName
    if (name === '') return []
    const fact = name ? facts.storageClass(name) : facts.storageClasses()
    if (fact.state !== 'present') return []
    const found = Array.isArray(fact.value) ? fact.value.find(({ isDefault }) => isDefault) : fact.value
    if (!found || found.allowVolumeExpansion) return []
    return entries(server.spec)
      .filter(({ size, value }) => value !== old.spec.storage[size])
      .map(({ field, value }) => ({
        field, problem: 'Forbidden', found: value, detail: `StorageClass ${quote(found.name)} does not allow volumes to grow (allowVolumeExpansion)`,
      }))
  },
  example: {
    spec: { storage: { cacheSize: '10Gi', storageClassName: 'fixed' } },
    oldSpec: { storage: { cacheSize: '5Gi', storageClassName: 'fixed' } },
    cluster: { storageClasses: [{ name: 'fixed', isDefault: false, allowVolumeExpansion: false }] },
  },
}
