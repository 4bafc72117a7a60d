import { FieldSet } from './field-set.ts'
import { fieldShape, isNamed, itemName, itemShape, resolve, type Shape } from './shape.ts'
import { isEqual, isTree, type Tree } from './tree.ts'

// Server-side apply on values, as in https://github.com/kubernetes-sigs/structured-merge-diff. Absent is undefined.

const isList = (shape: Shape): shape is Shape & { type: 'list' | 'set' } => shape.type === 'list' || shape.type === 'set'
const isMap = (shape: Shape) => shape.type === 'struct' || shape.type === 'map'
const isEmpty = (value: unknown) =>
  value === undefined || value === null || (Array.isArray(value) ? value.length === 0 : isTree(value) && Object.keys(value).length === 0)

const entries = (value: unknown): Tree => isTree(value) ? value : {}

const indexed = (shape: Shape & { type: 'list' | 'set' }, value: unknown): Map<string, unknown> =>
  new Map((Array.isArray(value) ? value : []).map(item => [itemName(shape, item), item]))

/** The parts of a container by their names in a set of fields. Of two entries of one name the last counts. */
function parts (shape: Shape, value: unknown): Map<string, unknown> {
  if (isList(shape)) return indexed(shape, value)
  return new Map(Object.entries(entries(value)).map(([key, entry]) => [`f:${key}`, entry]))
}

const partShape = (shape: Shape, name: string): Shape => isList(shape) ? itemShape(shape) : fieldShape(shape, name.slice(2))

/** The fields in an apply configuration. */
export function fieldsOf (value: unknown, declared: Shape): FieldSet {
  const set = new FieldSet()
  const path: string[] = []
  const walk = (value: unknown, declared: Shape) => {
    const shape = resolve(declared, value)
    if (!isList(shape) && !isMap(shape)) return set.insert(path)
    for (const [name, part] of parts(shape, value)) {
      path.push(name)
      walk(part, partShape(shape, name))
      const isEmptyMap = part === null || (isTree(part) && Object.keys(part).length === 0)
      if (isList(shape) || isEmptyMap || !isNamed(shape, name.slice(2))) set.insert(path)
      path.pop()
    }
  }
  walk(value, declared)
  return set
}

export interface Comparison { readonly added: FieldSet, readonly removed: FieldSet, readonly modified: FieldSet }

export function compare (before: unknown, after: unknown, declared: Shape): Comparison {
  const result = { added: new FieldSet(), removed: new FieldSet(), modified: new FieldSet() }
  const path: string[] = []
  const step = (name: string, left: unknown, right: unknown, declared: Shape) => {
    path.push(name)
    walk(left, right, declared)
    path.pop()
  }
  const walkMaps = (from: Tree, to: Tree, shape: Shape) => {
    for (const key of Object.keys(from)) if (from[key] !== to[key]) step(`f:${key}`, from[key], to[key], fieldShape(shape, key))
    for (const key of Object.keys(to)) if (from[key] === undefined) step(`f:${key}`, undefined, to[key], fieldShape(shape, key))
  }
  const walkLists = (from: ReadonlyMap<string, unknown>, to: ReadonlyMap<string, unknown>, item: Shape) => {
    for (const [name, entry] of from) step(name, entry, to.get(name), item)
    for (const [name, entry] of to) if (!from.has(name)) step(name, undefined, entry, item)
  }
  const walk = (left: unknown, right: unknown, declared: Shape) => {
    if (left === right) return
    const shape = resolve(declared, right ?? left)
    const isContainer = (isList(shape) || isMap(shape)) && !(isEmpty(left) && isEmpty(right))
    if (isContainer && isList(shape)) walkLists(indexed(shape, left), indexed(shape, right), itemShape(shape))
    else if (isContainer) walkMaps(entries(left), entries(right), shape)
    if (left === undefined) result.added.insert(path)
    else if (right === undefined) result.removed.insert(path)
    else if (!isContainer && !isEqual(left, right)) result.modified.insert(path)
  }
  walk(before, after, declared)
  return result
}

/** `right` laid over `left`. */
export function merge (left: unknown, right: unknown, declared: Shape): unknown {
  if (right === undefined) return left
  const shape = resolve(declared, right)
  if (left === undefined || (!isList(shape) && !isMap(shape))) return right
  if (isList(shape)) return mergeLists(left, right, shape)
  const result = { ...entries(left) }
  for (const [key, value] of Object.entries(entries(right))) result[key] = merge(result[key], value, fieldShape(shape, key))
  return result
}

/** The order of `right`; entries that only `left` has keep their position relative to the next entry. */
function mergeLists (left: unknown, right: unknown, shape: Shape & { type: 'list' | 'set' }): unknown[] {
  const [from, to] = [indexed(shape, left), indexed(shape, right)]
  const [mine, theirs] = [[...from.keys()], [...to.keys()]]
  const shared = theirs.filter(name => from.has(name))
  let nextShared = shared.shift()
  const done = new Set<string>()
  const merged: unknown[] = []
  const take = (name: string) => {
    done.add(name)
    merged.push(merge(from.get(name), to.get(name), itemShape(shape)))
  }
  for (let l = 0, r = 0; l < mine.length || r < theirs.length;) {
    const [own, name] = [mine[l], theirs[r]]
    if (own !== undefined && own === name) {
      take(name)
      l++
      r++
      nextShared = shared.shift()
    } else if (own !== undefined && !to.has(own)) {
      merged.push(from.get(own))
      l++
    } else if (own !== undefined && name !== undefined && nextShared !== undefined && nextShared !== own) l++ // its turn comes later
    else {
      if (own !== undefined && done.has(own)) l++
      if (name === undefined) continue
      take(name)
      r++
      if (nextShared === name) nextShared = shared.shift()
    }
  }
  return merged
}

/** Without the fields of a set. A container that becomes empty becomes null. */
export function remove (value: unknown, fields: FieldSet, declared: Shape): unknown {
  const shape = resolve(declared, value)
  if (isList(shape)) {
    const left = (Array.isArray(value) ? value : []).flatMap((item: unknown) => {
      const name = itemName(shape, item)
      if (fields.has(name)) return []
      const deeper = fields.under(name)
      return [deeper ? remove(item, deeper, itemShape(shape)) : item]
    })
    return left.length > 0 ? left : null
  }
  if (!isMap(shape)) return shape.type === 'atomic' ? null : value
  const result: Tree = {}
  for (const [key, entry] of Object.entries(entries(value))) {
    if (fields.has(`f:${key}`)) continue
    const deeper = fields.under(`f:${key}`)
    const left = deeper && !deeper.isEmpty ? remove(entry, deeper, fieldShape(shape, key)) : entry
    result[key] = left
  }
  return Object.keys(result).length > 0 ? result : null
}
