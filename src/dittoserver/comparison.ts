import { isObject, type StructuralSchema } from './structural.ts'

/** Whether two JSON values are equal. Does not recurse, because user input may be nested deeper than the stack allows. */
export function sameJson (a: unknown, b: unknown): boolean {
  const pairs: unknown[] = [a, b]
  while (pairs.length > 0) {
    const [left, right] = [pairs.pop(), pairs.pop()]
    if (Object.is(left, right)) continue
    if (Array.isArray(left) && Array.isArray(right)) {
      if (left.length !== right.length) return false
      for (let index = 0; index < left.length; index++) pairs.push(left[index], right[index])
    } else if (isObject(left) && isObject(right)) {
      const keys = Object.keys(left)
      if (keys.length !== Object.keys(right).length) return false
      for (const key of keys) {
        if (!Object.hasOwn(right, key)) return false
        pairs.push(left[key], right[key])
      }
    } else return false
  }
  return true
}

/** Compares two versions of an object as the API server would store them: an explicit default value is no difference. */
export interface Comparison {
  /**
   * Schema paths of the nodes that differ, from the root, without map keys and list indices: `spec`, `spec.storage`,
   * `spec.storage.cacheSize`.
   */
  readonly changedPaths: (a: unknown, b: unknown) => ReadonlySet<string>
  /** Whether the values at the keys, including map keys, are equal. */
  readonly sameAt: (a: unknown, b: unknown, keys: readonly string[]) => boolean
}

interface Node {
  readonly path: string
  /** The value of the node if it is absent or null. */
  readonly preset: unknown
  readonly fields?: ReadonlyMap<string, Node>
  readonly entry?: Node
  readonly item?: Node
}

/** Walks the schema once at creation, and not for each value. */
export function compileComparison (schema: StructuralSchema): Comparison {
  const root = nodeOf(schema, '')
  return {
    changedPaths: (a, b) => {
      const changed = new Set<string>()
      collect(root, a, b, changed)
      return changed
    },
    sameAt: (a, b, keys) => {
      let [node, left, right] = [root, a, b]
      for (const key of keys) {
        const next = node.fields?.get(key) ?? node.entry
        // No node of the schema exists, so nothing is stored.
        if (!next) return true
        left = valueOf(left, key, next)
        right = valueOf(right, key, next)
        node = next
      }
      return same(node, left, right)
    },
  }
}

function nodeOf ({ properties, additionalProperties, items, section, default: preset }: StructuralSchema, path: string): Node {
  const fields = Object.entries(properties ?? {}).map(([key, property]): [string, Node] => [key, nodeOf(property, path ? `${path}.${key}` : key)])
  return {
    path,
    preset: section ? {} : preset,
    ...(properties ? { fields: new Map(fields) } : {}),
    ...(additionalProperties ? { entry: nodeOf(additionalProperties, path) } : {}),
    ...(items ? { item: nodeOf(items, path) } : {}),
  }
}

/** In an absent optional object no defaults are filled in. */
const valueOf = (holder: unknown, key: string, { preset }: Node): unknown => {
  if (holder === undefined) return undefined
  return (isObject(holder) && Object.hasOwn(holder, key) ? holder[key] : undefined) ?? preset
}

const isObjectOrAbsent = (value: unknown) => value === undefined || isObject(value)

/** Adds the paths that differ at and below a node, and returns whether there are any. */
function collect (node: Node, a: unknown, b: unknown, changed: Set<string>): boolean {
  let differs: boolean
  if (node.fields && isObjectOrAbsent(a) && isObjectOrAbsent(b)) {
    differs = (a === undefined) !== (b === undefined)
    for (const [key, field] of node.fields) if (collect(field, valueOf(a, key, field), valueOf(b, key, field), changed)) differs = true
  } else {
    differs = !same(node, a, b)
    // One of them is not an object, so nothing below exists in both.
    if (differs) node.fields?.forEach((field, key) => { collect(field, valueOf(a, key, field), valueOf(b, key, field), changed) })
  }
  if (differs) changed.add(node.path)
  return differs
}

function same (node: Node, a: unknown, b: unknown): boolean {
  const { fields, entry, item } = node
  if (fields && isObject(a) && isObject(b)) {
    for (const [key, field] of fields) if (!same(field, valueOf(a, key, field), valueOf(b, key, field))) return false
    return true
  }
  if (entry && isObject(a) && isObject(b)) return sameMaps(a, b, entry)
  if (item && Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((value, index) => same(item, value, b[index]))
  return sameJson(a, b)
}

/** The API server drops null entries. */
function sameMaps (a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>, entry: Node): boolean {
  const keysOf = (map: Readonly<Record<string, unknown>>) => Object.keys(map).filter(key => map[key] !== null)
  const keys = keysOf(a)
  return keys.length === keysOf(b).length && keys.every(key => Object.hasOwn(b, key) && same(entry, a[key], b[key]))
}
