import { isObject } from '../../dittoserver/structural.ts'

/** Maps that the API server treats as atomic: an entry that is not ours changes the meaning of the map. */
const atomic = new Set(['selector', 'matchLabels', 'nodeSelector'])
/** Only one of these fields may be set: a second one beside ours is an error. */
const alternatives = [['exec', 'grpc', 'httpGet', 'sleep', 'tcpSocket'], ['value', 'valueFrom']]

/**
 * Whether `found` contains everything in `wanted`. The API server fills in fields, but it does not add or reorder entries of the lists that
 * we render. So an additional entry comes from another client, and the list differs.
 */
export function contains (wanted: unknown, found: unknown): boolean {
  if (Array.isArray(wanted)) {
    return Array.isArray(found) && wanted.length === found.length && wanted.every((entry, index) => contains(entry, found[index]))
  }
  if (!isObject(wanted)) return wanted === found
  if (!isObject(found) || hasAnotherAlternative(wanted, found)) return false
  return Object.keys(wanted).every(key => contains(wanted[key], found[key]) && !(atomic.has(key) && hasMore(wanted[key], found[key])))
}

/** The field that identifies an entry of a list, by the name of the list. For all other lists it is `name`. */
const keys: Readonly<Record<string, readonly string[]>> = { ports: ['port', 'containerPort'], volumeMounts: ['mountPath'] }

/**
 * The lists of `wanted` in which `found` has entries or alternatives of other clients. An apply does not remove these, so the result is a
 * merge patch that replaces each list as a whole. Undefined: there are none.
 */
export function overgrown (wanted: unknown, found: unknown): object | undefined {
  if (!isObject(wanted) || !isObject(found)) return undefined
  const lists = Object.entries(wanted).flatMap(([key, value]) => {
    const patch = Array.isArray(value) ? isOvergrown(value, found[key], key) ? value : undefined : overgrown(value, found[key])
    return patch === undefined ? [] : [[key, patch] as const]
  })
  return lists.length === 0 ? undefined : Object.fromEntries(lists)
}

function isOvergrown (wanted: unknown, found: unknown, name: string): boolean {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(found)) return false
    const pairs = found.map((entry: unknown) => [wanted.find(each => isSameEntry(each, entry, name)) as unknown, entry])
    return pairs.some(([ours, theirs]) => ours === undefined || isOvergrown(ours, theirs, ''))
  }
  if (!isObject(wanted) || !isObject(found)) return false
  return hasAnotherAlternative(wanted, found) || Object.entries(wanted).some(([key, value]) => isOvergrown(value, found[key], key))
}

function isSameEntry (a: unknown, b: unknown, list: string): boolean {
  if (!isObject(a) || !isObject(b)) return a === b
  return (keys[list] ?? ['name']).every(key => a[key] === b[key])
}

const hasAnotherAlternative = (wanted: Readonly<Record<string, unknown>>, found: Readonly<Record<string, unknown>>) =>
  alternatives.some(group => group.some(key => key in wanted) && group.some(key => key in found && !(key in wanted)))

const hasMore = (wanted: unknown, found: unknown) =>
  isObject(wanted) && isObject(found) && Object.keys(found).length > Object.keys(wanted).length
