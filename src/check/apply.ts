import { isObject } from '../dittoserver/structural.ts'

type Json = Readonly<Record<string, unknown>>

/** An object in a cluster, and the last manifest that was applied to it. */
export interface Stored { readonly object: Json, readonly original: Json }

/**
 * The stored object after a manifest is applied to it: fields in the manifest are set, fields that were applied before and are no longer in
 * the manifest are removed, and the rest is kept, such as defaults and fields of other clients. Lists are replaced as a whole.
 * https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/#how-apply-calculates-differences-and-merges-changes
 */
export const applied = (manifest: Json, { object, original }: Stored): Json => merge(object, original, manifest)

function merge (current: Json, original: Json, modified: Json): Json {
  const result = new Map(Object.entries(current))
  // A null is equivalent to an absent key.
  for (const [key, value] of Object.entries(original)) {
    if (value !== null && own(modified, key) === undefined) result.delete(key)
  }
  for (const [key, value] of Object.entries(modified)) {
    const [now, before] = [own(current, key), own(original, key)]
    if (value !== null) result.set(key, isObject(value) && isObject(now) ? merge(now, isObject(before) ? before : {}, value) : value)
  }
  return Object.fromEntries(result)
}

const own = (object: Json, key: string): unknown => (Object.hasOwn(object, key) ? object[key] : undefined) ?? undefined

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * An object of a cluster with the last applied manifest, from the annotation of kubectl or from the fields of server-side apply. If neither
 * exists, the whole spec counts as applied, so that fields missing in a manifest are not overlooked.
 */
export function storedObject (object: Json): Stored {
  const { annotations, managedFields } = isObject(object.metadata) ? object.metadata : {}
  const annotation = isObject(annotations) ? parsed(annotations[lastApplied]) : undefined
  if (annotation) return { object, original: annotation }
  const entries = (Array.isArray(managedFields) ? managedFields : []).filter(isObject).filter(({ operation }) => operation === 'Apply')
  if (entries.length === 0) return { object, original: { spec: object.spec } }
  const owned = entries.map(({ fieldsV1 }) => ownedPart(object, fieldsV1)).filter(isObject)
  return { object, original: owned.reduce<Json>((all, part) => merge(all, {}, part), {}) }
}

function parsed (text: unknown): Json | undefined {
  if (typeof text !== 'string') return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/**
 * The part of a value that its manager owns. Keys of fields begin with `f:`; items of lists are not distinguished.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
function ownedPart (value: unknown, fields: unknown): unknown {
  if (!isObject(value) || !isObject(fields)) return value
  const names = Object.keys(fields).filter(key => key.startsWith('f:'))
  if (names.length === 0) return value
  return Object.fromEntries(names.map(key => key.slice(2)).filter(name => Object.hasOwn(value, name))
    .map(name => [name, ownedPart(value[name], fields[`f:${name}`])]))
}
