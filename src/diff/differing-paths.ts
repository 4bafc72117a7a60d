import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../dittoserver/structural.ts'

/** The paths at which two values differ. Entries of lists are named by `name`, if they have one. Pure. */
export function differingPaths (before: unknown, after: unknown, path = ''): string[] {
  if (isDeepStrictEqual(before, after)) return []
  const [a, b] = [entriesOf(before), entriesOf(after)]
  if (!a || !b) return [path]
  const keys = [...new Set([...a.keys(), ...b.keys()])]
  const below = (key: string) => key.startsWith('[') || path === '' ? `${path}${key}` : `${path}.${key}`
  return keys.flatMap(key => differingPaths(a.get(key), b.get(key), below(key)))
}

function entriesOf (value: unknown): ReadonlyMap<string, unknown> | undefined {
  const keyOf = (entry: unknown, index: number) => isObject(entry) && typeof entry.name === 'string' ? entry.name : index
  if (Array.isArray(value)) return new Map(value.map((entry: unknown, index) => [`[${keyOf(entry, index)}]`, entry]))
  if (!isObject(value)) return undefined
  return new Map(Object.entries(value).map(([key, entry]) => [/[./]/.test(key) ? `[${key}]` : key, entry]))
}
