import { specSchema, type DittoServerSpec } from '../dittoserver/schema.ts'
import { isObject, type StructuralSchema } from '../dittoserver/structural.ts'
import type { Rule } from './rule.ts'

interface DeadKnob { readonly key: string, readonly name: string, readonly default: unknown }
interface Section { readonly path: readonly string[], readonly knobs: readonly DeadKnob[] }

/** Fields that nothing reads and that have a default, by the section that they are in: of `smb.credits`, `minGrant` and 16. */
function sectionsOf (schema: StructuralSchema, path: readonly string[] = []): Section[] {
  const properties = Object.entries(schema.properties ?? {})
  const knobs = properties.flatMap(([key, { change, default: preset }]): DeadKnob[] =>
    change === 'none' && preset !== undefined ? [{ key, name: [...path, key].join('.'), default: preset }] : [])
  const below = properties.flatMap(([key, property]) => property.properties ? sectionsOf(property, [...path, key]) : [])
  return [...knobs.length > 0 ? [{ path, knobs }] : [], ...below]
}

const sections = sectionsOf(specSchema)

function sectionAt (spec: DittoServerSpec, path: readonly string[]): Record<string, unknown> | undefined {
  let section: unknown = spec
  for (const key of path) section = isObject(section) ? section[key] : undefined
  return isObject(section) ? section : undefined
}

/** More would not fit into one warning. */
const mostNamed = 3

export const noEffect: Rule = {
  id: 'NO-EFFECT',
  severity: 'warn',
  summary: 'A field that the server does not read differs from its default. Which ones those are, the reference page says.',
  when: spec => sections.map(({ path, knobs }) => knobs.map(({ key }) => sectionAt(spec, path)?.[key])),
  judge: ({ server }) => {
    const set = sections.flatMap(({ path, knobs }) => {
      const section = sectionAt(server.spec, path)
      return section ? knobs.filter(({ key, default: untouched }) => section[key] !== untouched).map(({ name }) => name) : []
    })
    const [first] = set
    if (first === undefined) return []
    const others = set.slice(1, mostNamed)
    const more = set.length > mostNamed ? ` and ${set.length - mostNamed} more` : ''
    const also = others.length > 0 ? `; neither have ${others.join(', ')}${more}` : ''
    return [{ field: `spec.${first}`, detail: `has no effect, the server does not read it${also}` }]
  },
  example: { spec: { smb: { enabled: true, maxConnections: 50 } } },
}
