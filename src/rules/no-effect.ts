import { specSchema, type DittoServerSpec } from '../dittoserver/schema.ts'
import { isObject, type StructuralSchema } from '../dittoserver/structural.ts'
import type { Rule } from './rule.ts'

interface DeadKnob { readonly path: readonly string[], readonly name: string, readonly preset: unknown }
/** The knobs of one section, so that a review looks each section up once. */
interface Section { readonly path: readonly string[], readonly knobs: readonly (DeadKnob & { readonly key: string })[] }

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
const sections: readonly Section[] = [...Map.groupBy(knobs, ({ path }) => path.slice(0, -1).join('.')).values()].map(knobs => ({
  path: knobs[0]?.path.slice(0, -1) ?? [], knobs: knobs.map(knob => ({ ...knob, key: knob.path.at(-1) ?? '' })),
}))

/** Undefined if the section of an optional object is absent. */
function valueAt (spec: DittoServerSpec, path: readonly string[]): unknown {
  let value: unknown = spec
  for (const key of path) value = isObject(value) ? value[key] : undefined
  return value
}

/** Names of the knobs that differ from their defaults. */
function knobsSet (spec: DittoServerSpec): string[] {
  const set: string[] = []
  for (const { path, knobs } of sections) {
    const section = valueAt(spec, path)
    if (!isObject(section)) continue
    for (const { key, name, preset } of knobs) if ((section[key] ?? preset) !== preset) set.push(name)
  }
  return set
}

/** More would not fit into one warning. The reference page lists all of them. */
const mostNamed = 2

export const noEffect: Rule = {
  id: 'NO-EFFECT',
  severity: 'warn',
  summary: 'A field that the server does not read differs from its default. The reference page lists these fields.',
  when: knobs.map(({ name }) => `spec.${name}`),
  judge: ({ server: { spec } }) => {
    const set = knobsSet(spec)
    const [first, ...others] = set
    if (first === undefined) return []
    const more = set.length > mostNamed ? ` and ${set.length - mostNamed} more` : ''
    const also = others.length > 0 ? `; same for ${others.slice(0, mostNamed - 1).join(', ')}${more}` : ''
    return [{ field: `spec.${first}`, restsOn: set.map(name => `spec.${name}`), detail: `has no effect${also}` }]
  },
  example: { spec: { smb: { enabled: true, maxConnections: 50, timeouts: { read: '1m' } } } },
}
