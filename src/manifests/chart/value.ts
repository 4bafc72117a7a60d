/** One value of the chart. */
export interface Value {
  readonly preset: unknown
  /** The description for values.yaml, the schema and docs/values.md. */
  readonly description: string
  /** JSON schema. */
  readonly schema: object
}

export type Values = { readonly [key: string]: Value | Values }

export const value = (preset: unknown, schema: object, description: string): Value => ({ preset, schema, description })

export const isValue = (entry: Value | Values): entry is Value => 'preset' in entry && 'schema' in entry

export const presets = (entries: Values): Record<string, unknown> =>
  Object.fromEntries(Object.entries(entries).map(([key, entry]) => [key, isValue(entry) ? entry.preset : presets(entry)]))

export const schemaOf = (entries: Values): object => ({
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(Object.entries(entries).map(([key, entry]) =>
    [key, isValue(entry) ? { description: entry.description, ...entry.schema } : schemaOf(entry)])),
})

/** All values with their paths. */
export function listed (entries: Values, path: readonly string[] = []): (Value & { readonly path: readonly string[] })[] {
  return Object.entries(entries).flatMap(([key, entry]) => {
    const at = [...path, key]
    return isValue(entry) ? [{ path: at, ...entry }] : listed(entry, at)
  })
}
