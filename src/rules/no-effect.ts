import { specSchema } from '../dittoserver/schema.ts'
import { isObject, type StructuralSchema } from '../dittoserver/structural.ts'
import type { Rule } from './rule.ts'

/** Fields that nothing reads and that have a default, with that default: `smb.credits.minGrant` → 16. */
function deadKnobs (schema: StructuralSchema, path: readonly string[] = []): { path: readonly string[], default: unknown }[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => property.properties
    ? deadKnobs(property, [...path, key])
    : property.change === 'none' && property.default !== undefined ? [{ path: [...path, key], default: property.default }] : [])
}

const knobs = deadKnobs(specSchema)

function valueAt (object: unknown, path: readonly string[]): unknown {
  let value = object
  for (const key of path) value = isObject(value) ? value[key] : undefined
  return value
}

/** More would not fit into one warning. */
const mostNamed = 3

export const noEffect: Rule = {
  id: 'NO-EFFECT',
  severity: 'warn',
  summary: 'A field that the server does not read differs from its default. Which ones those are, the reference page says.',
  when: spec => knobs.map(({ path }) => valueAt(spec, path)),
  judge: ({ server }) => {
    const set = knobs.filter(({ path, default: untouched }) => valueAt(server.spec, path) !== untouched).map(({ path }) => path.join('.'))
    const [first] = set
    if (first === undefined) return []
    const others = set.slice(1, mostNamed)
    const more = set.length > mostNamed ? ` and ${set.length - mostNamed} more` : ''
    const also = others.length > 0 ? `; neither have ${others.join(', ')}${more}` : ''
    return [{ field: `spec.${first}`, detail: `has no effect, the server does not read it${also}` }]
  },
  example: { spec: { smb: { enabled: true, maxConnections: 50 } } },
}
