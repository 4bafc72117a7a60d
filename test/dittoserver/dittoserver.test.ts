import fc from 'fast-check'
import t from 'tap'
import { effectiveBackend } from '../../src/dittoserver/database.ts'
import { objectSchema, readDittoServer, toStored } from '../../src/dittoserver/dittoserver.ts'
import { isObject, type StructuralSchema } from '../../src/dittoserver/structural.ts'

t.test('a minimal object is whole in memory and short in store', async t => {
  const minimal = { metadata: { name: 'a', namespace: 'b' }, spec: { storage: { metadataSize: '1Gi', cacheSize: '1Gi' } } }
  const { server, errors } = readDittoServer(minimal)
  t.strictSame(errors, [])
  t.match(server, { metadata: { name: 'a', namespace: 'b', labels: {}, annotations: {}, finalizers: [] }, spec: { nfsPort: 12049, smb: { enabled: Boolean } } })
  const { spec } = toStored(minimal) as { spec: object }
  t.notOk('smb' in spec || 'percona' in spec, 'sections stay as their author wrote them')
})

t.test('each error has a path, and the rest is judged all the same', async t => {
  const { server, errors } = readDittoServer({
    spec: { replicas: 7, nfsPort: '1', image: 'example.com/a:1', storage: { cacheSize: '1Gi' }, smb: [], s3: { region: {} } },
  })
  t.strictSame(errors.map(({ path, problem }) => `${path}: ${problem}`).toSorted(), [
    'spec.nfsPort: Invalid value',
    'spec.replicas: Invalid value',
    'spec.s3.region: Invalid value',
    'spec.smb: Invalid value',
    'spec.storage.metadataSize: Required value',
  ])
  t.match(server.spec, { replicas: 1, nfsPort: 12049, image: 'example.com/a:1', storage: { cacheSize: '1Gi', metadataSize: /^\d+Gi$/ } })
})

t.test('metadata of any shape', async t => {
  for (const metadata of [null, 7, [], 'x', { name: 7, labels: [], annotations: { a: 1, b: 'c' }, finalizers: [1, 'f'], generation: '1' }]) {
    const { server } = readDittoServer({ metadata, spec: {} })
    t.match(server.metadata, { name: '', generation: 0 })
  }
  t.match(readDittoServer({ metadata: { annotations: { a: 1, b: 'c' }, finalizers: [1, 'f'] } }).server.metadata, { annotations: { b: 'c' }, finalizers: ['f'] })
})

t.test('which database is used', async t => {
  const backend = (spec: object) => effectiveBackend(readDittoServer({ spec: { storage: { metadataSize: '1Gi' }, ...spec } }).server.spec)
  const database = { postgresSecretRef: { name: 'a' } }
  t.equal(backend({}), 'sqlite')
  t.equal(backend({ database: { type: 'postgres' } }), 'sqlite', 'the type is a hint')
  t.equal(backend({ database }), 'external')
  t.equal(backend({ database, percona: { enabled: true } }), 'percona')
  t.equal(backend({ database, percona: { enabled: false } }), 'external')
})

/** Values that fit the schema here and there, and anything at all elsewhere. */
function generatorFor (schema: StructuralSchema): fc.Arbitrary<unknown> {
  const anything = fc.jsonValue({ maxDepth: 2 })
  const fitting = (): fc.Arbitrary<unknown> => {
    if (schema.items) return fc.array(generatorFor(schema.items), { maxLength: 3 })
    if (schema.additionalProperties) {
      return fc.dictionary(fc.constantFrom('a', '__proto__', 'constructor'), generatorFor(schema.additionalProperties), { maxKeys: 2 })
    }
    if (schema.properties) {
      const fields = Object.entries(schema.properties).map(([key, property]) => [key, generatorFor(property)])
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

t.test('reading never throws, changes nothing, and gives a legal server', async t => {
  let broken = 0
  fc.assert(fc.property(generatorFor(objectSchema), value => {
    const before = JSON.stringify(value)
    const { server, errors } = readDittoServer(value)
    if (errors.length > 0) broken++
    if (JSON.stringify(value) !== before) throw new Error('the value was changed')
    const again = readDittoServer({ spec: server.spec })
    if (again.errors.length > 0) throw new Error(`the stand-in is illegal: ${JSON.stringify(again.errors)}`)
    if (isObject(value) && toStoredTwice(value)) throw new Error('defaulting twice is not the same as once')
  }), { numRuns: 3_000 })
  t.ok(broken > 500, `${broken} of 3,000 did not fit the schema`)
})

const toStoredTwice = (value: unknown): boolean => JSON.stringify(toStored(toStored(value))) !== JSON.stringify(toStored(value))
