import { specSchema, type DittoServerSpec } from '../dittoserver/schema.ts'
import { isObject, type StructuralSchema } from '../dittoserver/structural.ts'
import type { Rule } from './rule.ts'

interface DeadKnob { readonly path: readonly string[], readonly name: string, readonly preset: unknown }

/** Fields that the server does not read and that have a default, or nested fields. */
function deadKnobs (schema: StructuralSchema, above: readonly string[] = []): DeadKnob[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    const path = [...above, key]
    // Other fields without an effect are informational or exist for compatibility, and are harmless.
    const isDead = property.change === 'none' && (property.default !== undefined || property.properties !== undefined)
    return [...isDead ? [{ path, name: path.join('.'), preset: property.default }] : [], ...deadKnobs(property, path)]
  })
}

const knobs = deadKnobs(specSchema)

/** Undefined if the section of an optional object is absent. */
function valueAt (spec: DittoServerSpec, path: readonly string[]): unknown {
  let value: unknown = spec
  for (const key of path) value = isObject(value) ? value[key] : undefined
  return value
}

/** More would not fit into one warning. The reference page lists all of them. */
const mostNamed = 2

export const noEffect: Rule = {
  id: 'NO-EFFECT',
  severity: 'warn',
  summary: 'A field that the server does not read differs from its default. The reference page lists these fields.',
  when: knobs.map(({ name }) => `spec.${name}`),
  judge: ({ server: { spec } }) => {
    const set = knobs.filter(({ path, preset }) => (valueAt(spec, path) ?? preset) !== preset).map(({ name }) => name)
    const [first, ...others] = set
    if (first === undefined) return []
    const more = set.length > mostNamed ? ` and ${set.length - mostNamed} more` : ''
    const also = others.length > 0 ? `; same for ${others.slice(0, mostNamed - 1).join(', ')}${more}` : ''
    return [{ field: `spec.${first}`, restsOn: set.map(name => `spec.${name}`), detail: `has no effect${also}` }]
  },
  example: { spec: { smb: { enabled: true, maxConnections: 50, timeouts: { read: '1m' } } } },
}
