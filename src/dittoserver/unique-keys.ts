import { isObject } from './structural.ts'

/** The keyword `x-kubernetes-list-map-keys`: no two entries have the same values of the keys. */
export const hasUniqueKeys = (keys: readonly string[], entries: readonly unknown[]): boolean =>
  new Set(entries.map(entry => identity(keys, entry))).size === entries.length

/** If the keys of an entry are not strings, other errors of the schema explain more. */
const identity = (keys: readonly string[], entry: unknown): unknown => {
  const values = isObject(entry) ? keys.map(key => entry[key]) : []
  return values.length > 0 && values.every(value => typeof value === 'string') ? JSON.stringify(values) : entry
}
