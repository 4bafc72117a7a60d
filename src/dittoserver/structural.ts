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

/** Own properties only, and written as such: `__proto__` and `constructor` are data here, never behaviour. */
const own = (object: Json, key: string): unknown => Object.hasOwn(object, key) ? object[key] : undefined

/**
 * What the API server makes of a custom resource before it validates it: unknown fields are pruned, nulls where null is
 * not allowed are dropped, defaults fill what is absent. The result is a copy, no deeper than the schema.
 * With `sections`, absent sections are filled in as well (see `section` in schema-kit.ts).
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting-and-nullable
 */
export function toStructural (schema: StructuralSchema, value: unknown, sections = false): unknown {
  if (Array.isArray(value)) {
    const { items } = schema
    return items ? withinLimit(schema.maxItems, value).map(item => toStructural(items, item, sections)) : value
  }
  if (!isObject(value)) return value
  if (schema.additionalProperties) return mapValues(schema, schema.additionalProperties, value, sections)
  const result: Json = {}
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    let found: unknown = own(value, key) ?? undefined
    if (found === undefined && (sections || !property.section)) found = structuredClone(property.default)
    if (found !== undefined) result[key] = toStructural(property, found, sections)
  }
  return result
}

/** One entry more than is allowed tells as much as a million more, and costs less to validate. */
const withinLimit = <Item>(limit: unknown, items: Item[]): Item[] => typeof limit === 'number' ? items.slice(0, limit + 1) : items

function mapValues ({ maxProperties }: StructuralSchema, schema: StructuralSchema, value: Json, sections: boolean): Json {
  // Object.fromEntries defines own properties: a key `__proto__` stays a key.
  return Object.fromEntries(withinLimit(maxProperties, Object.entries(value).filter(([, entry]) => entry !== null))
    .map(([key, entry]) => [key, toStructural(schema, entry, sections)]))
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
