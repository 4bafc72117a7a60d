import { createHash } from 'node:crypto'
import t from 'tap'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'
import { exampleServer } from '../../src/manifests/example-server.ts'
import { configHash } from '../../src/render/config-hash.ts'
import { imagePullPolicy } from '../../src/render/image-pull-policy.ts'
import { newSigningKey } from '../../src/render/jwt-secret.ts'
import { parsePostgresUrl } from '../../src/render/postgres-env-secret.ts'
import { containerSecurityContext } from '../../src/render/security.ts'

t.test('the config hash matches its documentation', async t => {
  const entries = [{ name: 's3:b', value: Buffer.from('é') }, { name: 'jwt:a', value: Buffer.from('xy') }, { name: 'admin:p', value: undefined }]
  const bytes = 'a: 1\n7:admin:p:absent:5:jwt:a:2:xy4:s3:b:2:é'
  t.equal(configHash('a: 1\n', entries), createHash('sha256').update(bytes).digest('hex'))
  t.equal(configHash('a: 1\n', entries.toReversed()), configHash('a: 1\n', entries), 'the order does not matter')
})

t.test('different contents have different hashes', async t => {
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

t.test('a signing key is long enough, and always different', async t => {
  const keys = Array.from({ length: 1_000 }, newSigningKey)
  t.equal(new Set(keys).size, 1_000)
  for (const key of keys) if (!/^[-_A-Za-z0-9]{43}$/.test(key)) t.fail(key)
})

t.test('PostgreSQL URLs', async t => {
  t.strictSame(parsePostgresUrl('postgres://al%40ice:p%3Aw%2F@db.example:6432/fi%20les?sslmode=verify-full\n'), {
    host: 'db.example', port: '6432', database: 'fi les', user: 'al@ice', password: 'p:w/', sslmode: 'verify-full',
  })
  t.strictSame(parsePostgresUrl(' postgresql://u@[::1]/d'), { host: '::1', port: '5432', database: 'd', user: 'u', password: '', sslmode: 'prefer' })
  t.equal(parsePostgresUrl('postgres://u@a%5Bb%5D/d')?.host, 'a[b]', 'only brackets around the whole host are those of an IPv6 address')
  t.equal(parsePostgresUrl('postgres://u@%5Ba%5Db/d')?.host, '[a]b')
  for (const text of ['', 'host=db dbname=x', 'xpostgres://u@h/d', 'mysql://u@h/d', 'postgres://h/d', 'postgres://u@h/', 'postgres://u:%zz@h/d', 'postgres://']) {
    t.equal(parsePostgresUrl(text), undefined, text)
  }
})

t.test('the user\'s security context overrides ours, field by field', async t => {
  const merged = (securityContext: object) => containerSecurityContext(readDittoServer(exampleServer({ securityContext })).server.spec)
  t.match(merged({ runAsUser: 5 }), { runAsUser: 5, runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } })
  t.strictSame(merged({ capabilities: { add: ['CHOWN'] } })?.capabilities, { drop: ['ALL'], add: ['CHOWN'] })
  t.equal(merged({ capabilities: { drop: [] } })?.capabilities, undefined, 'an empty list says nothing')
  t.equal(merged({ allowPrivilegeEscalation: true })?.allowPrivilegeEscalation, true)
  t.equal(merged({ privileged: true })?.allowPrivilegeEscalation, true, 'ours gives way: the API server refuses a privileged container that may not escalate')
  t.notHas(merged({ windowsOptions: { hostProcess: true } }), { windowsOptions: {} })
})

t.test('the pull policy is the default that the API server would set for a new pod', async t => {
  const always = ['a', 'a:latest', 'registry:5000/a', 'registry:5000/a/b:latest', 'a:latest@sha256:0']
  const ifNotPresent = ['a:1', 'registry:5000/a:1.0', 'a@sha256:0', 'a:1@sha256:0']
  for (const image of always) t.equal(imagePullPolicy(image), 'Always', image)
  for (const image of ifNotPresent) t.equal(imagePullPolicy(image), 'IfNotPresent', image)
})
