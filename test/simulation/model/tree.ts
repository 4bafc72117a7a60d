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
export const withLeaf = (tree: Tree, path: readonly string[], leaf: unknown): Tree => withLeafBelow(tree, path, 0, leaf)

function withLeafBelow (tree: Tree, path: readonly string[], depth: number, leaf: unknown): Tree {
  const key = path[depth] ?? ''
  if (depth < path.length - 1) {
    const below = tree[key]
    return { ...tree, [key]: withLeafBelow(isTree(below) ? below : {}, path, depth + 1, leaf) }
  }
  return leaf === undefined ? without(tree, key) : { ...tree, [key]: leaf }
}

/** A copy without one field. A field that is deleted from an object would make every later access to that object slow. */
export function without (tree: Tree, unwanted: string): Tree {
  if (!Object.hasOwn(tree, unwanted)) return tree
  const copy: Tree = {}
  for (const key of Object.keys(tree)) if (key !== unwanted) copy[key] = tree[key]
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
  let result: Tree = isTree(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result = without(result, key)
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
