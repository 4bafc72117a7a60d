import { isObject, type StructuralSchema } from '../dittoserver/structural.ts'

/**
 * Paths of the fields that a schema does not have, sorted, in the format of the API server's strict decoding. The content of an unknown
 * field is not checked. An unknown field with a null counts as absent: kubectl accepts it.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
 */
export function unknownFields (schema: StructuralSchema, value: unknown, path = ''): string[] {
  return [...unknownIn(schema, value, path)].sort()
}

function * unknownIn (schema: StructuralSchema, value: unknown, path: string): Generator<string> {
  if (schema.items && Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield * unknownIn(schema.items, item, `${path}[${index}]`)
  }
  // A map accepts every key, and a value of another type has no fields: the schema reports it.
  if (!schema.properties || !isObject(value)) return
  for (const [key, inner] of Object.entries(value)) {
    const field = path === '' ? key : `${path}.${key}`
    const known = Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined
    if (known) yield * unknownIn(known, inner, field)
    else if (inner !== null) yield field
  }
}
