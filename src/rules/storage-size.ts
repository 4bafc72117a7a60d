import { effectiveBackend } from '../dittoserver/database.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { compareQuantities } from '../dittoserver/quantity.ts'
import { quote } from '../dittoserver/quote.ts'
import { volumeSizeSyntax, type DittoServerSpec } from '../dittoserver/schema.ts'
import { fits } from './cel.ts'
import type { Complaint, Rule } from './rule.ts'
import { backendOf } from './database.ts'

const sizes = ['metadataSize', 'contentSize', 'cacheSize', 'controlPlaneSize'] as const
export type Size = typeof sizes[number]

export const fieldOfSize = (size: Size) => `spec.storage.${size}`

export const sizeZero: Rule = {
  id: 'SIZE-ZERO',
  severity: 'deny',
  summary: 'A volume must have a size above zero.',
  claims: ({ path, keyword, found }) => sizes.some(size => path === fieldOfSize(size)) && keyword === 'pattern' && /^0+[GMT]i$/.test(String(found)),
  judge: () => [],
  example: { spec: { storage: { contentSize: '0Gi' } } },
}

/** Whether the server has the volume that the size applies to. */
function hasVolume (spec: DittoServerSpec, size: Size): boolean {
  return size === 'controlPlaneSize' ? effectiveBackend(spec) === 'sqlite' : Boolean(spec.storage[size])
}

export interface Resize { readonly field: string, readonly before: string, readonly after: string }

/** Sizes of existing volumes, before and after: those that grow (1) or those that shrink (-1). */
export function resized (server: DittoServer, old: DittoServer, direction: 1 | -1): Resize[] {
  return sizes.filter(size => hasVolume(server.spec, size) && hasVolume(old.spec, size)).flatMap(size => {
    const [before = '', after = ''] = [old.spec.storage[size], server.spec.storage[size]]
    return compareQuantities(after, before) === direction ? [{ field: fieldOfSize(size), before, after }] : []
  })
}

/** CEL: the new size is not smaller than the old one, or one of them is not a valid size. */
const grows = (after: string, before: string) =>
  `!${fits(before, volumeSizeSyntax)} || !${fits(after, volumeSizeSyntax)} || quantity(${after}).compareTo(quantity(${before})) >= 0`

const shrunk = { reason: 'FieldValueForbidden', message: 'a volume cannot shrink: create a second DittoServer and copy the data over [STOR-SHRINK]' } as const

export const storageShrink: Rule = {
  id: 'STOR-SHRINK',
  severity: 'deny',
  operations: ['UPDATE'],
  summary: 'A volume cannot shrink.',
  cel: [
    ...(['metadataSize', 'contentSize', 'cacheSize'] as const).map(size => ({ at: fieldOfSize(size), rule: grows('self', 'oldSelf'), ...shrunk })),
    {
      at: 'spec',
      // Other databases do not use this volume.
      rule: ['oldSelf', 'self'].map(spec => `!has(${spec}.storage) || !has(${spec}.storage.controlPlaneSize) || ${backendOf(spec)} != 'sqlite'`).join(' || ') +
        ` || ${grows('self.storage.controlPlaneSize', 'oldSelf.storage.controlPlaneSize')}`,
      fieldPath: '.storage.controlPlaneSize',
      ...shrunk,
    },
  ],
  judge: ({ server, old }) => (old ? resized(server, old, -1) : []).map(({ field, before, after }): Complaint => ({
    field, problem: 'Forbidden', found: after, detail: `a volume cannot shrink (from ${quote(before)}); create a second DittoServer and copy the data over`,
  })),
  example: { spec: { storage: { cacheSize: '1Gi' } }, oldSpec: { storage: { cacheSize: '5Gi' } } },
}

export const storageImmutable: Rule = {
  id: 'STOR-IMMUTABLE',
  severity: 'deny',
  operations: ['UPDATE'],
  summary: 'The content volume can be neither added nor removed after creation.',
  cel: [{
    at: 'spec.storage',
    rule: `has(oldSelf.contentSize) && !${fits('oldSelf.contentSize', volumeSizeSyntax)} || has(self.contentSize) == has(oldSelf.contentSize)`,
    fieldPath: '.contentSize',
    reason: 'FieldValueForbidden',
    message: 'a content volume cannot be added or removed: create a second DittoServer [STOR-IMMUTABLE]',
  }],
  judge: ({ server, old }) => {
    if (!old || Boolean(server.spec.storage.contentSize) === Boolean(old.spec.storage.contentSize)) return []
    return [{
      field: 'spec.storage.contentSize', problem: 'Forbidden', detail: 'cannot be added or removed later; create a second DittoServer',
    }]
  },
  example: { spec: { storage: { contentSize: '50Gi' } }, oldSpec: {} },
}
