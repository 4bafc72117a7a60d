import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../../dittoserver/structural.ts'

/** https://www.rfc-editor.org/rfc/rfc6902 */
export type Operation =
  | { readonly op: 'add' | 'replace' | 'test', readonly path: string, readonly value: unknown }
  | { readonly op: 'remove', readonly path: string }

const escaped = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')

/** The patch that changes `before` to `after`. It fails on an object whose lists have a different order. */
export function jsonPatch (before: unknown, after: unknown, path = ''): Operation[] {
  if (isDeepStrictEqual(before, after)) return []
  if (Array.isArray(before) && Array.isArray(after)) return ofLists(before, after, path)
  if (!isObject(before) || !isObject(after)) return [{ op: 'replace', path, value: after }]
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key): Operation[] => {
    const at = `${path}/${escaped(key)}`
    if (!(key in after)) return [{ op: 'remove', path: at }]
    return key in before ? jsonPatch(before[key], after[key], at) : [{ op: 'add', path: at, value: after[key] }]
  })
}

/** Several patches may append to the same list, in any order. Any other change, except of a single entry, replaces the whole list. */
function ofLists (before: readonly unknown[], after: readonly unknown[], path: string): Operation[] {
  if (before.length === after.length) return before.flatMap((entry, index) => ofEntry(entry, after[index], `${path}/${index}`))
  const kept = after.slice(0, before.length)
  if (kept.length < before.length || !kept.every((entry, index) => isSame(entry, before[index]))) return [{ op: 'replace', path, value: after }]
  return [
    ...before.flatMap((entry, index) => ofEntry(entry, kept[index], `${path}/${index}`)),
    ...after.slice(before.length).map((value): Operation => ({ op: 'add', path: `${path}/-`, value })),
  ]
}

/** Fields that identify the entries of a list. */
const keys = ['name', 'topologyKey', 'resources']

const keyOf = (entry: unknown) => isObject(entry) ? keys.find(key => key in entry) : undefined

function isSame (a: unknown, b: unknown): boolean {
  const key = keyOf(a)
  return key !== undefined && isObject(a) && isObject(b) ? isDeepStrictEqual(a[key], b[key]) : isDeepStrictEqual(a, b)
}

function ofEntry (before: unknown, after: unknown, path: string): Operation[] {
  const operations = jsonPatch(before, after, path)
  const key = keyOf(before)
  return operations.length === 0 || key === undefined || !isObject(before)
    ? operations
    : [{ op: 'test', path: `${path}/${key}`, value: before[key] }, ...operations]
}
