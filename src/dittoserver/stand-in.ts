import { isObject, type StructuralSchema } from './structural.ts'

type Json = Record<string, unknown>

const empty: Readonly<Record<string, unknown>> = { array: [], string: '', integer: 0, boolean: false }

/** A valid value of a node: its example, or its minimum. */
export function legal ({ example, enum: choices, default: preset, type = '', properties, required = [] }: StructuralSchema): unknown {
  const value = example ?? choices?.[0] ?? preset
  if (!properties || isObject(example)) return structuredClone(value ?? empty[type] ?? {})
  return Object.fromEntries(required.map(key => [key, legal(properties[key] ?? {})]))
}

/**
 * Replaces the value at `keys`, or the whole list or map that contains it, with a valid one; removes it if it is not required.
 * Modifies `object`.
 */
export function putStandIn (object: Json, keys: readonly string[], root: StructuralSchema): void {
  let [holder, schema] = [object, root]
  for (const [index, key] of keys.entries()) {
    const property = schema.properties?.[key]
    const found = holder[key]
    if (index < keys.length - 1 && property?.properties && isObject(found)) {
      holder = found
      schema = property
      continue
    }
    if (property && (property.section || property.default !== undefined || schema.required?.includes(key))) holder[key] = legal(property)
    else Reflect.deleteProperty(holder, key)
    return
  }
}
