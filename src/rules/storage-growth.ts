import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { compareQuantities } from '../dittoserver/quantity.ts'
import { quote } from '../dittoserver/quote.ts'
import { quantitySyntax, volumeSizeSyntax } from '../dittoserver/schema.ts'
import type { TextSyntax } from '../dittoserver/schema-kit.ts'
import { fits, has } from './cel.ts'
import { backendOf } from './database.ts'
import type { Facts } from './facts.ts'
import type { Complaint, Need, Rule, Subject } from './rule.ts'
import { resized, type Resize } from './storage-size.ts'

// Kubernetes allows a claim to grow only if the StorageClass that it was created with allows it.
// https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims

interface Growth extends Resize {
  /** The StorageClass that the volumes were created with. Undefined: the default at that time, which may have changed. */
  readonly className: string | undefined
}

/** All volumes that grow. The StorageClass is that of the old object, because volumes keep it. */
function growths (server: DittoServer, old: DittoServer): Growth[] {
  const volumes = resized(server, old, 1).map(resize => ({ ...resize, className: old.spec.storage.storageClassName }))
  const [before, after] = [old.spec.percona, server.spec.percona]
  if (!before.enabled || !after.enabled || compareQuantities(after.storageSize, before.storageSize) !== 1) return volumes
  return [...volumes, {
    field: 'spec.percona.storageSize', before: before.storageSize, after: after.storageSize, className: before.storageClassName,
  }]
}

const growthsOf = ({ server, old }: Pick<Subject, 'server' | 'old'>) => old ? growths(server, old) : []

/** CEL: the value, which both objects have, is larger than the old one, if the schema allows both values. */
const grown = (path: string, syntax: TextSyntax) =>
  `${fits(`oldSelf.${path}`, syntax)} && ${fits(`self.${path}`, syntax)} && quantity(self.${path}).isGreaterThan(quantity(oldSelf.${path}))`

const bothHave = (path: string) => `${has('oldSelf', path)} && ${has('self', path)}`

const noClass = (section: string) => `has(${section}.storageClassName) && ${section}.storageClassName == ''`
const refused = { reason: 'FieldValueForbidden', message: 'a volume without a StorageClass cannot grow [SC-NONE-GROW]' } as const

export const growthWithoutClass: Rule = {
  id: 'SC-NONE-GROW',
  severity: 'deny',
  operations: ['UPDATE'],
  summary: 'Volumes without a StorageClass (`""`) cannot grow: Kubernetes refuses it.',
  cel: [
    ...['metadataSize', 'contentSize', 'cacheSize'].map(size => ({
      at: 'spec.storage', rule: `!(${bothHave(size)} && ${noClass('oldSelf')} && ${grown(size, volumeSizeSyntax)})`, fieldPath: `.${size}`, ...refused,
    })),
    {
      at: 'spec',
      rule: `!(${bothHave('storage.controlPlaneSize')} && ${noClass('oldSelf.storage')} && ${backendOf('oldSelf')} == 'sqlite' && ${backendOf('self')} == 'sqlite' && ${grown('storage.controlPlaneSize', volumeSizeSyntax)})`,
      fieldPath: '.storage.controlPlaneSize',
      ...refused,
    },
    {
      at: 'spec.percona',
      rule: `!(${bothHave('storageSize')} && ${bothHave('enabled')} && self.enabled && oldSelf.enabled && ${noClass('oldSelf')} && ${grown('storageSize', quantitySyntax)})`,
      fieldPath: '.storageSize',
      ...refused,
    },
  ],
  judge: subject => growthsOf(subject).filter(({ className }) => className === '').map(({ field, after }) => ({
    field, problem: 'Forbidden', found: after, detail: 'a volume without a StorageClass cannot grow',
  })),
  example: { spec: { storage: { cacheSize: '10Gi', storageClassName: '' } }, oldSpec: { storage: { cacheSize: '5Gi', storageClassName: '' } } },
}

export const expansionUnsupported: Rule = {
  id: 'SC-NO-EXPAND',
  severity: 'deny',
  operations: ['UPDATE'],
  restsOnCluster: true,
  summary: 'Volumes may grow only where their StorageClass exists and has `allowVolumeExpansion: true`. If no StorageClass was named, the rule checks the default one and only warns.',
  needs: subject => growthsOf(subject).flatMap(({ field, className }): Need[] =>
    className === '' ? [] : className === undefined ? [{ kind: 'StorageClasses', field }] : [{ kind: 'StorageClass', name: className, field }]),
  judge: subject => growthsOf(subject).flatMap(({ field, after, className }): Complaint[] => {
    if (className === '') return []
    const complaint = { field, problem: 'Forbidden', found: after } as const
    return className === undefined
      ? ofDefault(subject.facts).map(detail => ({ field, uncertain: true, detail }))
      : ofClass(className, subject.facts).map(detail => ({ ...complaint, detail }))
  }),
  example: {
    spec: { storage: { cacheSize: '10Gi', storageClassName: 'fixed' } },
    oldSpec: { storage: { cacheSize: '5Gi', storageClassName: 'fixed' } },
    cluster: { storageClasses: [{ name: 'fixed', isDefault: false, allowVolumeExpansion: false }] },
  },
}

function ofClass (className: string, facts: Facts): string[] {
  const fact = facts.storageClass(className)
  if (fact.state === 'absent') return [`StorageClass ${quote(className)} no longer exists: its volumes cannot grow`]
  return fact.state === 'present' && !fact.value.allowVolumeExpansion
    ? [`StorageClass ${quote(className)} has no allowVolumeExpansion: its volumes cannot grow`]
    : []
}

/** The current default StorageClass may differ from the one that the volumes were created with. */
function ofDefault (facts: Facts): string[] {
  const fact = facts.storageClasses()
  const found = fact.state === 'present' ? fact.value.find(({ isDefault }) => isDefault) : undefined
  if (!found || found.allowVolumeExpansion) return []
  return [`the default StorageClass ${quote(found.name)} has no allowVolumeExpansion: volumes made with it cannot grow`]
}
