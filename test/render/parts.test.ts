import { createHash } from 'node:crypto'
import t from 'tap'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'
import { exampleServer } from '../../src/manifests/example-server.ts'
import { configHash } from '../../src/render/config-hash.ts'
import { newSigningKey } from '../../src/render/jwt-secret.ts'
import { parsePostgresUrl } from '../../src/render/postgres-env-secret.ts'
import { containerSecurityContext } from '../../src/render/security.ts'

t.test('the config hash is that of its documented bytes', async t => {
  const entries = [{ name: 's3:b', value: Buffer.from('é') }, { name: 'jwt:a', value: Buffer.from('xy') }, { name: 'admin:p', value: undefined }]
  const bytes = 'a: 1\n7:admin:p:absent:5:jwt:a:2:xy4:s3:b:2:é'
  t.equal(configHash('a: 1\n', entries), createHash('sha256').update(bytes).digest('hex'))
  t.equal(configHash('a: 1\n', entries.toReversed()), configHash('a: 1\n', entries), 'the order does not matter')
})

t.test('no two contents share a hash', async t => {
  const value = (text: string) => Buffer.from(text)
  const hashes = [
    configHash('', []),
    configHash('', [{ name: 'a', value: undefined }]),
    configHash('', [{ name: 'a', value: value('') }]),
    configHash('', [{ name: 'a', value: value('1:b:0:') }]),
    configHash('', [{ name: 'a', value: value('') }, { name: 'b', value: value('') }]),
    configHash('1:a:0:', []),
  ]
  // The file is the only part without a length: one that ends in the frame of an entry is the one known twin.
  t.equal(new Set(hashes).size, hashes.length - 1)
})

t.test('a signing key is long enough, and never the same', async t => {
  const keys = Array.from({ length: 1_000 }, newSigningKey)
  t.equal(new Set(keys).size, 1_000)
  for (const key of keys) if (!/^[-_A-Za-z0-9]{43}$/.test(key)) t.fail(key)
})

t.test('PostgreSQL URLs', async t => {
  t.strictSame(parsePostgresUrl('postgres://al%40ice:p%3Aw%2F@db.example:6432/fi%20les?sslmode=verify-full\n'), {
    host: 'db.example', port: '6432', database: 'fi les', user: 'al@ice', password: 'p:w/', sslmode: 'verify-full',
  })
  t.match(parsePostgresUrl('postgresql://u@[::1]/d'), { host: '::1', port: '5432', sslmode: 'prefer', password: '' })
  for (const text of ['', 'host=db dbname=x', 'mysql://u@h/d', 'postgres://h/d', 'postgres://u@h/', 'postgres://u:%zz@h/d', 'postgres://']) {
    t.equal(parsePostgresUrl(text), undefined, text)
  }
})

t.test('the user\'s security context goes over ours, field by field', async t => {
  const merged = (securityContext: object) => containerSecurityContext(readDittoServer(exampleServer({ securityContext })).server.spec)
  t.match(merged({ runAsUser: 5 }), { runAsUser: 5, runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } })
  t.strictSame(merged({ capabilities: { add: ['CHOWN'] } }).capabilities, { drop: ['ALL'], add: ['CHOWN'] })
  t.strictSame(merged({ capabilities: { drop: [] } }).capabilities, { drop: [] })
  t.equal(merged({ allowPrivilegeEscalation: true }).allowPrivilegeEscalation, true)
})
