import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../../dittoserver/structural.ts'

/** https://www.rfc-editor.org/rfc/rfc6902 */
export type Operation =
  | { readonly op: 'add' | 'replace', readonly path: string, readonly value: unknown }
  | { readonly op: 'remove', readonly path: string }

const escaped = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')

/** What turns `before` into `after`. */
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

/** Entries that are added come last, so that a patch reads as what it is; a shorter list is given whole. */
function ofLists (before: readonly unknown[], after: readonly unknown[], path: string): Operation[] {
  if (after.length < before.length) return [{ op: 'replace', path, value: after }]
  return after.flatMap((value, index): Operation[] =>
    index < before.length ? jsonPatch(before[index], value, `${path}/${index}`) : [{ op: 'add', path: `${path}/-`, value }])
}
