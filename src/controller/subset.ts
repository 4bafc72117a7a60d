import { compareQuantities } from '../dittoserver/quantity.ts'
import { isObject } from '../dittoserver/structural.ts'

/**
 * Whether everything in `wanted` is in `found` as well; the API server fills in more. Lists are compared entry by entry:
 * it adds to their entries but neither adds nor moves any in the lists that we render. Quantities it spells in its own way:
 * `1024Mi` becomes `1Gi`.
 */
export function isSubset (wanted: unknown, found: unknown): boolean {
  if (wanted === found) return true
  if (Array.isArray(wanted)) {
    return Array.isArray(found) && wanted.length === found.length && wanted.every((entry, index) => isSubset(entry, found[index]))
  }
  if (isObject(wanted)) {
    return isObject(found) && Object.entries(wanted).every(([key, value]) => isSubset(value, found[key]))
  }
  return typeof wanted === 'string' && typeof found === 'string' && compareQuantities(wanted, found) === 0
}
