import type { KubernetesObject } from '../../../src/cluster/kubernetes-object.ts'

/** A JSON object of unknown type. Stored objects are never modified: a change works on a copy. */
export type Tree = Record<string, unknown>

export const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value)

/** An object of the API, as a thing to look into. */
export const treeOf = (object: KubernetesObject): Tree => object as unknown as Tree

/** The value at the end of a path of keys, if it exists. */
export function at (value: unknown, ...keys: readonly string[]): unknown {
  let found = value
  for (const key of keys) found = isTree(found) ? found[key] : undefined
  return found
}

/** A copy with one leaf set, or removed if `leaf` is undefined; missing parents are created. */
export function withLeaf (tree: Tree, [key = '', ...rest]: readonly string[], leaf: unknown): Tree {
  const value = rest.length === 0 ? leaf : withLeaf(isTree(tree[key]) ? tree[key] : {}, rest, leaf)
  const copy = { ...tree, [key]: value }
  if (value === undefined) Reflect.deleteProperty(copy, key)
  return copy
}

/** Whether two JSON values are the same. Faster than isDeepStrictEqual, which looks at prototypes too. */
export function isEqual (a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((entry, index) => isEqual(entry, b[index]))
  if (!isTree(a) || !isTree(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every(key => key in b && isEqual(a[key], b[key]))
}

/** https://www.rfc-editor.org/rfc/rfc7396 */
export function mergePatch (target: unknown, patch: unknown): unknown {
  if (!isTree(patch)) return patch
  const result = isTree(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(result, key)
    else result[key] = mergePatch(result[key], value)
  }
  return result
}

function hasNulls (value: unknown): boolean {
  if (value === null) return true
  if (Array.isArray(value)) return value.some(hasNulls)
  if (typeof value !== 'object') return false
  for (const key in value) if (hasNulls((value as Tree)[key])) return true
  return false
}

/** Without null, which the API server's types cannot hold. */
export function withoutNulls (value: unknown): unknown {
  if (!hasNulls(value)) return value
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isTree(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== null).map(([key, entry]) => [key, withoutNulls(entry)]))
}
