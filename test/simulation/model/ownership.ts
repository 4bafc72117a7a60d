import { Refused } from './errors.ts'
import { FieldSet, fieldPath } from './field-set.ts'
import type { Shape } from './shape.ts'
import { at, isEqual, isTree, withLeaf, withoutNulls, type Tree } from './tree.ts'
import { compare, fieldsOf, merge, remove } from './typed.ts'

/** Who owns which fields: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
export interface Manager {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
}

interface Entry { readonly by: Manager, readonly fields: FieldSet, readonly time: string | undefined }
type Owners = Map<string, Entry>

export interface WriteContext {
  readonly shape: Shape
  /** An empty object of the kind. */
  readonly empty: Tree
  readonly apiVersion: string
  readonly manager: string
  readonly subresource: string
  /** Fields that a write to this endpoint cannot change. */
  readonly reset: FieldSet
  /** RFC 3339, whole seconds. */
  readonly now: string
}

const keyOf = ({ manager, operation, subresource }: Manager) => `${operation} ${manager} ${subresource}`

/** Never tracked, since everybody sends them. */
const untracked = FieldSet.of(['apiVersion'], ['kind'], ['metadata'], ...['name', 'namespace', 'creationTimestamp', 'uid', 'generation', 'managedFields', 'resourceVersion']
  .map(key => ['metadata', key]))

/** The owners in stored `managedFields`, which never change. */
const decoded = new WeakMap<object, Owners>()

/** A copy that the caller may change. */
function decode (managedFields: unknown): Owners {
  const known = Array.isArray(managedFields) ? decoded.get(managedFields) : undefined
  if (known) return new Map(known)
  const owners: Owners = new Map()
  for (const entry of Array.isArray(managedFields) ? managedFields : []) {
    if (!isTree(entry)) continue
    const { manager = 'unknown', operation, apiVersion, subresource = '', fieldsV1, time } = entry as Partial<Record<string, string>>
    if (operation !== 'Apply' && operation !== 'Update') continue
    const by: Manager = { manager, operation, apiVersion: String(apiVersion), subresource }
    owners.set(keyOf(by), { by, fields: FieldSet.fromJSON(fieldsV1), time })
  }
  return owners
}

const compareText = (a: string, b: string) => a < b ? -1 : a > b ? 1 : 0

/** Appliers first, then by time, then by name. */
const inOrder = ({ by: a, time: t }: Entry, { by: b, time: u }: Entry): number =>
  compareText(a.operation, b.operation) || compareText(t ?? '', u ?? '') || compareText(a.manager, b.manager) || compareText(a.subresource, b.subresource)

function encode (owners: Owners): Tree[] {
  const entries = [...owners.values()].filter(({ fields }) => !fields.isEmpty).toSorted(inOrder)
  const managedFields = entries.map(({ by, fields, time }) => ({
    manager: by.manager,
    operation: by.operation,
    apiVersion: by.apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: fields.toJSON(),
    ...(by.subresource === '' ? {} : { subresource: by.subresource }),
  }))
  decoded.set(managedFields, new Map(entries.map(entry => [keyOf(entry.by), entry])))
  return managedFields
}

const withOwners = (object: Tree, owners: Owners): Tree => {
  const entries = encode(owners)
  return withLeaf(object, ['metadata', 'managedFields'], entries.length === 0 ? undefined : entries)
}

/** The possible values of `managedFields` in a request: absent, a complete replacement, or `[]` or `[{}]`, which resets them. */
function ownersBefore (live: Tree, wanted: Tree, subresource: string): Owners {
  const given = at(wanted, 'metadata', 'managedFields')
  if (subresource === '' && Array.isArray(given)) {
    if (given.length === 0 || (given.length === 1 && isTree(given[0]) && Object.keys(given[0]).length === 0)) return new Map()
    const decoded = decode(given)
    if (decoded.size > 0) return decoded
  }
  return decode(at(live, 'metadata', 'managedFields'))
}

const lose = (entry: Entry, lost: FieldSet): Entry => ({ ...entry, fields: entry.fields.difference(lost) })

/** After a create, an update or a patch: changed fields belong to the writer. `live` is empty for a create. */
export function updated (live: Tree, wanted: Tree, context: WriteContext): Tree {
  const { shape, apiVersion, manager, subresource, reset, now } = context
  const owners = ownersBefore(live, wanted, subresource)
  // The existing fields were never tracked, so there is no basis for a comparison.
  if (owners.size === 0 && at(live, 'metadata', 'uid') !== undefined) return withOwners(wanted, owners)
  const [from, to] = [live, wanted].map(object => withLeaf(object, ['metadata', 'managedFields'], undefined))
  const { added, removed, modified } = compare(from, to, shape)
  const [taken, gone] = [added.union(modified).without(reset), removed.without(reset)]
  for (const [key, entry] of owners) owners.set(key, lose(lose(entry, taken), gone))
  const by: Manager = { manager, operation: 'Update', apiVersion, subresource }
  const own = taken.difference(untracked)
  if (!own.isEmpty) owners.set(keyOf(by), { by, fields: own.union(owners.get(keyOf(by))?.fields ?? new FieldSet()), time: now })
  return withOwners(wanted, owners)
}

export interface ApplyContext extends WriteContext {
  /** Takes fields from others. */
  readonly force: boolean
  /** Puts in defaults. */
  readonly fill: (object: Tree) => Tree
}

/**
 * Applies a configuration to the object, and returns the result with the new owners of its fields. @throws {Refused} 409 that names each
 * field of another manager, unless `force`
 */
export function applied (live: Tree, config: Tree, { force, fill, ...context }: ApplyContext): Tree {
  const { shape, empty, apiVersion, manager, subresource, reset, now } = context
  const owners = decode(at(live, 'metadata', 'managedFields'))
  const by: Manager = { manager, operation: 'Apply', apiVersion, subresource }
  const before = withLeaf(live, ['metadata', 'managedFields'], undefined)
  if (owners.size === 0 && at(live, 'metadata', 'uid') !== undefined) {
    const first: Manager = { manager: 'before-first-apply', operation: 'Update', apiVersion, subresource }
    const { added, modified } = compare(empty, before, shape)
    owners.set(keyOf(first), { by: first, fields: added.union(modified).without(reset).difference(untracked), time: now })
  }
  const last = owners.get(keyOf(by))
  const own = fieldsOf(config, shape).without(reset).difference(untracked)
  owners.set(keyOf(by), { by, fields: own, time: now })
  const merged = merge(before, config, shape) as Tree
  const result = last ? prune(merged, last.fields, owners, shape) : merged
  const { added, removed, modified } = compare(before, result, shape)
  const [gone, taken] = [removed.without(reset), added.union(modified).without(reset)]
  const conflicts = new Map([...owners].flatMap(([key, entry]) => {
    const lost = key === keyOf(by) ? new FieldSet() : entry.fields.intersection(taken)
    return lost.isEmpty ? [] : [[key, lost] as const]
  }))
  if (!force && conflicts.size > 0) throw conflictOf(conflicts, owners)
  for (const [key, entry] of owners) if (key !== keyOf(by)) owners.set(key, lose(lose(entry, conflicts.get(key) ?? new FieldSet()), gone))
  // A writer that only sends the current values changes nothing, and no time.
  if (isEqual(before, result)) owners.set(keyOf(by), { by, fields: own, time: last?.time })
  return withOwners(fill(withoutNulls(result) as Tree), owners)
}

/** Fields of the last apply that are missing now are removed, unless another manager owns them too. */
function prune (merged: Tree, last: FieldSet, owners: Owners, shape: Shape): Tree {
  const all = fieldsOf(merged, shape).withNamedFields(shape)
  const before = last.withNamedFields(shape)
  const pruned = fieldsOf(remove(merged, before, shape), shape).withNamedFields(shape)
  const owned = [...owners.values()].reduce((sum, { fields }) => sum.union(fields), new FieldSet()).withNamedFields(shape)
  const kept = remove(merged, all.difference(pruned.union(owned)), shape)
  const left = fieldsOf(kept, shape).withNamedFields(shape)
  return remove(merged, all.difference(left).intersection(before), shape) as Tree
}

function conflictOf (conflicts: ReadonlyMap<string, FieldSet>, owners: Owners): Refused {
  const causes = [...conflicts].flatMap(([key, fields]) => fields.paths().map(path => ({
    reason: 'FieldManagerConflict', message: `conflict with "${owners.get(key)?.by.manager ?? ''}" using ${owners.get(key)?.by.apiVersion ?? ''}`, field: fieldPath(path),
  })))
  return new Refused(409, 'Conflict', `Apply failed with ${causes.length} conflicts`, { causes })
}
