import { specSchema } from '../../src/dittoserver/schema.ts'
import type { StructuralSchema } from '../../src/dittoserver/structural.ts'

/** One property of a spec and a value that it may be given. Null: absent. */
export interface Visit { readonly path: readonly string[], readonly value: unknown }

type Schema = StructuralSchema & { readonly minimum?: number, readonly maximum?: number }

/** Second values for properties for which the schema has only the default. */
const others: Readonly<Record<string, readonly unknown[]>> = {
  'storage.metadataSize': ['20Gi'], 'storage.cacheSize': ['10Gi'], 'storage.controlPlaneSize': ['2Gi'], 'cache.size': ['2GiB'],
}

function example (schema: Schema): unknown {
  if (schema.example !== undefined) return schema.example
  if (schema.default !== undefined) return schema.default
  if (schema.enum) return schema.enum[0]
  switch (schema.type ?? 'any') {
    case 'boolean': return true
    case 'integer': return schema.minimum ?? 1
    case 'array': return []
    case 'object': return Object.fromEntries((schema.required ?? []).map(name => [name, example((schema.properties?.[name] ?? {}) as Schema)]))
    default: return 'x'
  }
}

function valuesOf (schema: Schema, path: readonly string[]): unknown[] {
  const known = [schema.default, schema.example, ...others[path.join('.')] ?? []].filter(value => value !== undefined)
  if (schema.enum) return [...schema.enum]
  switch (schema.type ?? 'any') {
    case 'boolean': return [true, false]
    case 'integer': return [...known, schema.minimum, schema.maximum].filter(value => value !== undefined)
    case 'string': return [...known, '', 'not what it should be']
    case 'array': return [[], ...known]
    case 'object': return schema.properties ? [example(schema)] : [{}, { 'example.com/a': 'b' }, ...known]
    default: return known
  }
}

/** Every property of the schema with its boundaries, its examples, its absence, and something that it may not be. */
export function visitsOf (schema = specSchema as unknown as Schema, path: readonly string[] = []): Visit[] {
  const own = path.length === 0 ? [] : [...valuesOf(schema, path), null].map(value => ({ path, value }))
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, child]) => visitsOf(child as Schema, [...path, name]))
  const seen = new Set<string>()
  return [...own, ...below].filter(visit => {
    const key = JSON.stringify(visit)
    return !seen.has(key) && seen.add(key)
  })
}
