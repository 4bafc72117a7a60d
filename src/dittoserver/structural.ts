/** A JSON Schema as far as a structural schema of a CustomResourceDefinition goes. */
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

/** Makes of a value what the API server would make of it. */
export type Structural = (value: unknown) => unknown

/**
 * What the API server does to a custom resource before it validates it: unknown fields are pruned, nulls where null is not
 * allowed are dropped, defaults fill what is absent. The result is a copy, no deeper than the schema. With `sections`,
 * absent sections are filled in as well (see `section` in schema-kit.ts). The schema is walked once, here, not per value.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting-and-nullable
 */
export function compileStructural (schema: StructuralSchema, sections = false): Structural {
  if (schema.items) return listOf(schema, compileStructural(schema.items, sections))
  if (schema.additionalProperties) return mapOf(schema, compileStructural(schema.additionalProperties, sections))
  const fields = Object.entries(schema.properties ?? {}).map(([key, property]) => {
    // Below, fields are read without asking whether they are the value's own, which would take as long as all the rest.
    if (key in Object.prototype) throw new Error(`every object has a '${key}'`)
    const isLeaf = !property.properties && !property.items && !property.additionalProperties
    const structural = isLeaf ? undefined : compileStructural(property, sections)
    // Sections are filled in with one and the same object, which therefore must never be changed.
    const preset = !property.section ? property.default : sections ? freeze(structural?.({})) : undefined
    return { key, preset, structural }
  })
  return value => {
    if (!isObject(value)) return value
    const result: Json = {}
    for (const { key, preset, structural } of fields) {
      // `__proto__` and `constructor` are data here, never behaviour: no schema has them.
      const found = value[key]
      if (found !== undefined && found !== null) result[key] = structural ? structural(found) : found
      else if (preset !== undefined) result[key] = preset
    }
    return result
  }
}

function freeze (value: unknown): unknown {
  if (isObject(value)) Object.values(value).forEach(freeze)
  return Object.freeze(value)
}

/** One entry more than is allowed tells as much as a million more, and costs less to validate. */
const withinLimit = <Item>(limit: unknown, items: Item[]): Item[] => typeof limit === 'number' ? items.slice(0, limit + 1) : items

const listOf = ({ maxItems }: StructuralSchema, structural: Structural): Structural =>
  value => Array.isArray(value) ? withinLimit(maxItems, value).map(structural) : value

const mapOf = ({ maxProperties }: StructuralSchema, structural: Structural): Structural => value => {
  if (!isObject(value)) return value
  // Object.fromEntries defines own properties: a key `__proto__` stays a key.
  return Object.fromEntries(withinLimit(maxProperties, Object.entries(value).filter(([, entry]) => entry !== null))
    .map(([key, entry]) => [key, structural(entry)]))
}

/** The schema that stored objects are held to: sections, which are only filled in in memory, may be absent. */
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
