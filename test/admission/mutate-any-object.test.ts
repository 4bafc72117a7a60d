import fc from 'fast-check'
import jsonPatch from 'fast-json-patch'
import t from 'tap'
import { mutate } from '../../src/admission/mutate.ts'

t.test('is idempotent and touches nothing else, on generated input', async t => {
  const cacheSize = fc.oneof(fc.constantFrom(null, '', undefined, '5Gi', '10Gi', 'x'), fc.jsonValue())
  const storage = fc.oneof(
    fc.record({ metadataSize: fc.jsonValue(), cacheSize, storageClassName: fc.jsonValue() }, { requiredKeys: [] }),
    fc.jsonValue(),
    fc.dictionary(fc.constantFrom('cacheSize', '__proto__', 'constructor', 'toString'), fc.jsonValue()),
  )
  const object = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ metadata: fc.jsonValue(), spec: fc.record({ storage, image: fc.jsonValue() }, { requiredKeys: [] }) }),
    },
    { weight: 1, arbitrary: fc.jsonValue() },
  )
  let patched = 0
  fc.assert(fc.property(object, generated => {
    const original = JSON.parse(JSON.stringify(generated)) as { spec?: { storage?: Record<string, unknown> } }
    const patch = mutate(original)
    if (patch.length === 0) return
    patched++
    const copy = structuredClone(original)
    jsonPatch.applyPatch(copy, structuredClone(patch) as never, true)
    if (mutate(copy).length > 0) throw new Error('a second mutation changes the object again')
    delete original.spec?.storage?.cacheSize
    delete copy.spec?.storage?.cacheSize
    if (JSON.stringify(copy) !== JSON.stringify(original)) throw new Error('something else changed')
  }), { numRuns: 20_000 })
  t.ok(patched > 2_000, `${patched} of 20,000 cases were patched`)
})
