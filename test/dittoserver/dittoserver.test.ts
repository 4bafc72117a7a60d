import t from 'tap'
import { effectiveBackend } from '../../src/dittoserver/database.ts'
import { readDittoServer, toStored } from '../../src/dittoserver/dittoserver.ts'

t.test('a minimal object has all sections in memory, but not in storage', async t => {
  const minimal = { metadata: { name: 'a', namespace: 'b' }, spec: { storage: { metadataSize: '1Gi', cacheSize: '1Gi' } } }
  const { server, errors } = readDittoServer(minimal)
  t.strictSame(errors, [])
  t.match(server, { metadata: { name: 'a', namespace: 'b', annotations: {}, finalizers: [] }, spec: { nfsPort: 12049, smb: { enabled: Boolean } } })
  const { spec } = toStored(minimal) as { spec: object }
  t.notOk('smb' in spec || 'percona' in spec, 'sections stay as their author wrote them')
})

t.test('each error has a path, and the rest is still judged', async t => {
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

t.test('metadata of any type', async t => {
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
