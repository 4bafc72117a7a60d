/** The subset of JSON Schema that a structural schema of a CustomResourceDefinition may use. */
export interface StructuralSchema {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly string[]
  readonly example?: unknown
  readonly change?: string
  readonly section?: boolean
  readonly listedRequired?: boolean
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, StructuralSchema>>
  readonly additionalProperties?: StructuralSchema
  readonly items?: StructuralSchema
  readonly [keyword: string]: unknown
}

type Json = Record<string, unknown>

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Converts a value to the form in which the API server would store it. */
export type Structural = (value: unknown) => unknown

/**
 * The processing of a custom resource in the API server before validation: unknown fields are pruned, nulls are dropped where null is not
 * allowed, and absent fields get their defaults. The result is a copy, not deeper than the schema. With `sections`, absent sections are
 * filled in too (see `section` in schema-kit.ts). The schema is walked once at creation, and not for each value.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting-and-nullable
 */
export function compileStructural (schema: StructuralSchema, sections = false): Structural {
  if (schema.items) return listOf(schema, compileStructural(schema.items, sections))
  if (schema.additionalProperties) return mapOf(schema, compileStructural(schema.additionalProperties, sections))
  if (!schema.properties) return value => cut(value, longestOf(schema))
  const fields = Object.entries(schema.properties).map(([key, property]) => {
    // Below, fields are read without a check for own properties, which would take as long as everything else.
    if (key in Object.prototype) throw new Error(`every object has a '${key}'`)
    const isLeaf = !property.properties && !property.items && !property.additionalProperties
    const structural = isLeaf ? undefined : compileStructural(property, sections)
    // All sections are filled in with the same object, which must never be modified.
    const preset = !property.section ? property.default : sections ? freeze(structural?.({})) : undefined
    return { key, preset, structural, longest: longestOf(property) }
  })
  return value => {
    if (!isObject(value)) return value
    const result: Json = {}
    for (const { key, preset, structural, longest } of fields) {
      // `__proto__` and `constructor` are ordinary data here: no schema has them.
      const found = value[key]
      if (found !== undefined && found !== null) result[key] = structural ? structural(found) : cut(found, longest)
      else if (preset !== undefined) result[key] = preset
    }
    return result
  }
}

function freeze (value: unknown): unknown {
  if (isObject(value)) Object.values(value).forEach(freeze)
  return Object.freeze(value)
}

// Validation needs only one element above the limit to detect an excess, and more would cost time.

/** In code units; a character has one or two. Patterns are only applied to the shortened text. */
const longestOf = ({ maxLength }: StructuralSchema): number => typeof maxLength === 'number' ? 2 * maxLength + 1 : Infinity
const cut = (value: unknown, longest: number): unknown => typeof value === 'string' && value.length > longest ? value.slice(0, longest) : value

const listOf = ({ maxItems = Infinity }: StructuralSchema, structural: Structural): Structural =>
  value => Array.isArray(value) ? value.slice(0, Number(maxItems) + 1).map(structural) : value

const mapOf = ({ maxProperties = Infinity }: StructuralSchema, structural: Structural): Structural => value => {
  if (!isObject(value)) return value
  const entries: [string, unknown][] = []
  for (const key of Object.keys(value)) {
    const entry = value[key]
    if (entry === null) continue
    entries.push([key, structural(entry)])
    if (entries.length > Number(maxProperties)) break
  }
  // Defines own properties: a key `__proto__` stays a key.
  return Object.fromEntries(entries)
}

/** The schema that stored objects must satisfy: sections, which are only filled in in memory, may be absent. */
export function storedSchema (schema: StructuralSchema): StructuralSchema {
  const { properties, items, required, default: ignored, ...rest } = schema
  if (items) return { ...schema, items: storedSchema(items) }
  if (!properties) return schema
  const needed = (required ?? []).filter(key => !properties[key]?.section)
  return {
    ...rest,
    ...(needed.length > 0 ? { required: needed } : {}),
    properties: Object.fromEntries(Object.entries(properties).map(([key, property]) => [key, storedSchema(property)])),
  }
}
