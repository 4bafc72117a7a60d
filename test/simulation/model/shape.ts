import { isTree } from './tree.ts'

/**
 * How the parts of a kind are merged and owned, as the API server's schema says:
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
 */
export type Shape =
  /** The value determines its type: lists are atomic; objects are structs, or maps if the schema does not define them. */
  | { readonly type: 'deduced', readonly objects: 'struct' | 'map' }
  | { readonly type: 'scalar' }
  | { readonly type: 'atomic' }
  /** Named fields: a field is owned together with its content. */
  | { readonly type: 'struct', readonly fields: Readonly<Record<string, Shape>>, readonly others: Shape }
  /** Entries with user-defined names: each is owned separately. */
  | { readonly type: 'map', readonly values: Shape }
  | { readonly type: 'list', readonly keys: readonly string[], readonly item: Shape }
  | { readonly type: 'set' }

const scalar: Shape = { type: 'scalar' }
const atomic: Shape = { type: 'atomic' }
const known: Shape = { type: 'deduced', objects: 'struct' }
export const unknownShape: Shape = { type: 'deduced', objects: 'map' }
const knownStruct: Shape = { type: 'struct', fields: {}, others: known }
const unknownMap: Shape = { type: 'map', values: unknownShape }

/** The type of a value if the schema does not define it. */
export function resolve (shape: Shape, value: unknown): Shape {
  if (shape.type !== 'deduced') return shape
  if (Array.isArray(value)) return atomic
  if (!isTree(value)) return scalar
  return shape.objects === 'struct' ? knownStruct : unknownMap
}

/** The entries of the table: `map`, `atomic`, `set`, `unknown`, or the keys of a list. */
export type ShapeTable = Readonly<Record<string, 'map' | 'atomic' | 'set' | 'unknown' | readonly string[]>>

interface Node { own: ShapeTable[string] | undefined, readonly below: Map<string, Node> }

const metadata: ShapeTable = {
  'metadata.labels': 'map', 'metadata.annotations': 'map', 'metadata.finalizers': 'set', 'metadata.ownerReferences': ['uid'], 'metadata.ownerReferences.[]': 'atomic',
}

/** A shape from the paths at which it is something else than plain structs and atomic lists. `[]` is an entry of a list. */
export function shapeOf (table: ShapeTable): Shape {
  const root: Node = { own: undefined, below: new Map() }
  for (const [path, own] of Object.entries({ ...metadata, ...table })) {
    let node = root
    for (const key of path.split('.')) {
      const next: Node = node.below.get(key) ?? { own: undefined, below: new Map() }
      node.below.set(key, next)
      node = next
    }
    node.own = own
  }
  return compile(root)
}

function compile ({ own, below }: Node): Shape {
  if (own === 'atomic') return atomic
  if (own === 'set') return { type: 'set' }
  const fields = () => Object.fromEntries([...below].filter(([key]) => key !== '[]').map(([key, node]) => [key, compile(node)]))
  if (own === 'unknown') return below.size === 0 ? unknownShape : { type: 'struct', fields: fields(), others: unknownShape }
  if (own === 'map') return { type: 'map', values: known }
  if (own !== undefined) {
    const item = below.get('[]')
    return { type: 'list', keys: own, item: item ? compile(item) : known }
  }
  return below.size === 0 ? known : { type: 'struct', fields: fields(), others: known }
}

/** The shape of a field or of an entry under a name. */
export const fieldShape = (shape: Shape, key: string): Shape => {
  if (shape.type === 'struct') return shape.fields[key] ?? shape.others
  return shape.type === 'map' ? shape.values : known
}

/** Whether the schema knows the field by its name. */
export const isNamed = (shape: Shape, key: string): boolean =>
  shape.type === 'struct' && (key in shape.fields || !(shape.others.type === 'deduced' && shape.others.objects === 'map'))

/** Defaults of the keys of lists: a port without a protocol is a TCP port. */
const keyDefaults: Readonly<Record<string, unknown>> = { protocol: 'TCP' }

/** How an entry of a list is called in a set of fields. */
export function itemName (shape: Shape & { type: 'list' | 'set' }, item: unknown): string {
  if (shape.type === 'set') return `v:${JSON.stringify(item)}`
  let name = ''
  for (const key of shape.keys.length === 1 ? shape.keys : shape.keys.toSorted()) {
    const value = (isTree(item) ? item[key] : undefined) ?? keyDefaults[key]
    if (value !== undefined) name += `${name === '' ? '' : ','}"${key}":${JSON.stringify(value)}`
  }
  return `k:{${name}}`
}

export const itemShape = (shape: Shape): Shape => shape.type === 'list' ? shape.item : scalar
