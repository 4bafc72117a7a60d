import t from 'tap'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'
import { exampleServer } from '../../src/manifests/example-server.ts'
import { configFile } from '../../src/render/config-file.ts'
import { configHash, type SecretEntry } from '../../src/render/config-hash.ts'
import { postgresEnvSecret } from '../../src/render/postgres-env-secret.ts'
import { secretDigest, secretUses, type SecretData } from '../../src/render/secret-uses.ts'

const serverOf = (spec: object) => readDittoServer(exampleServer(spec)).server
const base64 = (text: string) => Buffer.from(text).toString('base64')
type Texts = Readonly<Record<string, string>>
const encoded = (data: Texts) => Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)]))

const external = { database: { postgresSecretRef: { name: 'pg', key: 'url' } } }
const s3 = { s3: { credentialsSecretRef: { secretName: 'creds', accessKeyIdKey: 'id', secretAccessKeyKey: 'secret', endpointKey: 'url' } } }
const ownJwt = { prefix: 'jwt', secret: 'demo-jwt-secret', key: 'jwt-secret' }
const connection = { prefix: 'postgres', secret: 'pg', keys: ['url', 'host', 'port', 'database', 'user', 'password', 'sslmode'] }

t.test('the Secrets that the pod reads, by spec', async t => {
  const cases: readonly [what: string, spec: object, uses: readonly object[]][] = [
    ['nothing of the user\'s', {}, [ownJwt]],
    ['a signing key of the user', { identity: { jwt: { secretRef: { name: 'keys', key: 'jwt' } } } }, [{ prefix: 'jwt', secret: 'keys', key: 'jwt' }]],
    ['a reference without a name', { identity: { jwt: { secretRef: { key: 'jwt' } }, admin: { passwordSecretRef: { key: 'p' } } } }, [ownJwt]],
    ['a password', { identity: { admin: { passwordSecretRef: { name: 'admin', key: 'p' } } } }, [ownJwt, { prefix: 'admin', secret: 'admin', key: 'p' }]],
    ['an external PostgreSQL', external, [ownJwt, connection]],
    ['S3', s3, [ownJwt, { prefix: 's3', secret: 'creds', keys: ['id', 'secret', 'url'] }]],
    ['Percona', { percona: { enabled: true } }, [ownJwt, { prefix: 'percona', secret: 'demo-postgres-pguser-dittofs', key: 'uri' }]],
    ['Percona, which wins over an external PostgreSQL', { ...external, percona: { enabled: true } }, [
      ownJwt, { prefix: 'percona', secret: 'demo-postgres-pguser-dittofs', key: 'uri' },
    ]],
  ]
  for (const [what, spec, uses] of cases) t.strictSame(secretUses(serverOf(spec)), uses, what)
})

const digestOf = (spec: object, secrets: Readonly<Record<string, Texts>>) => {
  const server = serverOf(spec)
  const data = new Map<string, SecretData>(Object.entries(secrets).map(([name, each]) => [name, encoded(each)]))
  return { server, digest: secretDigest(server, secretUses(server), data) }
}

t.test('the digest covers exactly the keys that are used', async t => {
  const entry = (name: string, value?: string): SecretEntry => ({ name, value: value === undefined ? undefined : Buffer.from(value) })
  const jwt = { 'demo-jwt-secret': { 'jwt-secret': 'k', other: 'x' } }
  type Secrets = Readonly<Record<string, Texts>>
  type Digested = readonly [what: string, spec: object, secrets: Secrets, entries: readonly SecretEntry[], missing: readonly string[]]
  const cases: readonly Digested[] = [
    ['a key', {}, jwt, [entry('jwt:jwt-secret', 'k')], []],
    ['a Secret without the key', {}, { 'demo-jwt-secret': {} }, [entry('jwt:jwt-secret')], []],
    ['no Secret', {}, {}, [entry('jwt:jwt-secret')], ['demo-jwt-secret']],
    ['the keys of S3, one of which is not there', s3, { ...jwt, creds: { id: 'i', secret: 's', more: 'm' } }, [
      entry('jwt:jwt-secret', 'k'), entry('s3:id', 'i'), entry('s3:secret', 's'),
    ], []],
    ['no Secret for S3', s3, jwt, [entry('jwt:jwt-secret', 'k'), entry('s3:')], ['creds']],
    ['one Secret that serves twice is missing once', {
      s3: { credentialsSecretRef: { secretName: 'all' } }, identity: { jwt: { secretRef: { name: 'all', key: 'jwt' } } },
    }, {}, [entry('jwt:jwt'), entry('s3:')], ['all']],
  ]
  for (const [what, spec, secrets, entries, missing] of cases) {
    const { server, digest } = digestOf(spec, secrets)
    t.strictSame(digest, { configHash: configHash(configFile(server), entries), missing }, what)
  }
})

t.test('a connection to an external PostgreSQL is a URL, or separate keys', async t => {
  const how = (secrets: Readonly<Record<string, Texts>>) => {
    const { digest: { externalPostgres, connection } } = digestOf(external, secrets)
    return { externalPostgres, host: connection?.host }
  }
  t.strictSame(how({ pg: { url: 'postgres://u:p@db/d' } }), { externalPostgres: 'url', host: 'db' })
  t.strictSame(how({ pg: { host: 'db', user: 'u' } }), { externalPostgres: 'keys', host: undefined })
  t.strictSame(how({ pg: { url: 'no URL' } }), { externalPostgres: 'keys', host: undefined })
  t.strictSame(how({}), { externalPostgres: 'keys', host: undefined })
  const { digest } = digestOf({ ...external, percona: { enabled: true } }, { pg: { url: 'postgres://u:p@db/d' } })
  t.strictSame(Object.keys(digest).sort(), ['configHash', 'missing'], 'Percona wins')
})

t.test('a connection is split into a Secret of the server', async t => {
  const { server, digest } = digestOf(external, { pg: { url: 'postgres://u:p%40ss@db:6432/d?sslmode=require' } })
  if (!digest.connection) throw new Error('no connection')
  t.match(postgresEnvSecret(server, digest.connection), {
    kind: 'Secret', metadata: { name: 'demo-postgres-env', namespace: 'files', ownerReferences: [{ name: 'demo' }] },
  })
  t.strictSame(postgresEnvSecret(server, digest.connection).data, encoded({ host: 'db', port: '6432', database: 'd', user: 'u', password: 'p@ss', sslmode: 'require' }))
})
