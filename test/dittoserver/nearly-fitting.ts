import fc from 'fast-check'
import type { StructuralSchema } from '../../src/dittoserver/structural.ts'

/** Values that match the schema in some places, and are arbitrary elsewhere. */
export function nearlyFitting (schema: StructuralSchema): fc.Arbitrary<unknown> {
  const anything = fc.jsonValue({ maxDepth: 2 })
  const fitting = (): fc.Arbitrary<unknown> => {
    if (schema.items) return fc.array(nearlyFitting(schema.items), { maxLength: 3 })
    if (schema.additionalProperties) {
      return fc.dictionary(fc.constantFrom('a', '__proto__', 'constructor'), nearlyFitting(schema.additionalProperties), { maxKeys: 2 })
    }
    if (schema.properties) {
      const fields = Object.entries(schema.properties).map(([key, property]) => [key, nearlyFitting(property)])
      return fc.record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>, { requiredKeys: [...schema.required ?? []] })
    }
    if (schema.enum) return fc.constantFrom(...schema.enum)
    if (schema.type === 'boolean') return fc.boolean()
    const usual = fc.constant(schema.default ?? schema.example ?? null)
    const other = schema.type === 'integer' ? fc.integer({ min: -10, max: 70_000 }) : fc.constantFrom('', '1Gi', 'x', '15m')
    return fc.oneof({ weight: 20, arbitrary: usual }, { weight: 1, arbitrary: other })
  }
  return fc.oneof({ weight: 100, arbitrary: fitting() }, { weight: 1, arbitrary: anything })
}
