import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cp, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parseAllDocuments } from 'yaml'
import { eventually } from '../control-plane/control-plane.ts'
import { issue } from '../tls/certificates.ts'
import { run, samples, serve } from './program.ts'

interface Found {
  kind: string
  metadata: { name: string, namespace: string, ownerReferences?: unknown }
  stringData?: Record<string, string>
  data?: Record<string, string>
}

const objectsIn = (yaml: string) => parseAllDocuments(yaml).map(document => document.toJS() as Found)
const names = (objects: readonly Found[]) => objects.map(({ kind, metadata: { name } }) => `${kind} ${name}`)
const server = (name: string, spec = '') => `apiVersion: dittofs.dittofs.com/v1alpha1
kind: DittoServer
metadata: {name: ${name}}
spec: {storage: {metadataSize: 1Gi}${spec}}
`

t.test('one YAML stream of all objects', async t => {
  const { code, stdout, stderr } = await run(['render', '-f', '-', '-n', 'files'], { input: server('a', ', metrics: {enabled: true}') })
  t.equal(code, 0)
  t.equal(stderr, '')
  const objects = objectsIn(stdout)
  t.strictSame(names(objects), [
    'Secret a-jwt-secret', 'ConfigMap a-config', 'Service a-headless', 'Service a-file', 'Service a-api', 'Service a-metrics', 'StatefulSet a',
  ])
  for (const { metadata } of objects) t.match(metadata, { namespace: 'files', ownerReferences: undefined })
  t.match(objects[0]?.stringData?.['jwt-secret'], /^[-_A-Za-z0-9]{43}$/)
})

t.test('with the Secrets in the state, the output is always the same', async t => {
  const state = t.testdir({
    'secrets.yaml': `apiVersion: v1
kind: Secret
metadata: {name: a-jwt-secret}
stringData: {jwt-secret: an-old-key-of-more-than-32-characters}
---
apiVersion: v1
kind: Secret
metadata: {name: db}
stringData: {url: "postgres://me:hush@db.example.com:5433/files?sslmode=require"}
`,
  })
  const args = ['render', '-f', '-', '--state', state]
  const input = server('a', ', database: {type: postgres, postgresSecretRef: {name: db, key: url}}')
  const first = await run(args, { input })
  t.equal(first.code, 0, first.stderr)
  t.equal((await run(args, { input })).stdout, first.stdout)
  const objects = objectsIn(first.stdout)
  t.equal(names(objects)[0], 'Secret a-postgres-env', 'the key that exists stays as it is')
  t.equal(Buffer.from(objects[0]?.data?.password ?? '', 'base64').toString(), 'hush')
  t.notMatch(first.stdout, 'hush', 'nowhere in the clear')
  t.notMatch(JSON.stringify(objects.slice(1)), Buffer.from('hush').toString('base64'), 'nowhere else at all')
})

t.test('objects that the rules refuse are not rendered', async t => {
  const { code, stdout, stderr } = await run(['render', '-f', '-'], { input: `${server('bad', ', smb: {enabled: true, port: 12049}')}---\n${server('good')}` })
  t.equal(code, 1)
  t.match(stderr, /^standard input: bad is refused: spec\.smb\.port: 12049 .*\n$/)
  t.strictSame([...new Set(objectsIn(stdout).map(({ metadata: { name } }) => name.replace(/-.*/, '')))], ['good'])
})

t.test('a file that cannot be read', async t => {
  t.match(await run(['render', '-f', '/does/not/exist']), { code: 2, stdout: '', stderr: /--filename/ })
  t.match(await run(['render', '-f', '-'], { input: 'kind: [' }), { code: 1, stdout: '', stderr: /^standard input:\d+: / })
})

const filesIn = async (folder: string) => (await readdir(folder, { recursive: true })).filter(file => file.includes('.')).toSorted()

async function serveOut (t: Test) {
  const embedded = join(t.testdir({ in: {} }), 'in')
  await cp(samples, embedded, { recursive: true })
  const out = join(t.testdirName, 'out')
  const args = ['--embedded', embedded, '--out', out, '--tls-dir', t.testdir({ ...await issue() })]
  await cp(samples, embedded, { recursive: true })
  const server = await serve(t, args)
  await server.said(/Ctrl-C/)
  return { embedded, out, server, args }
}

t.test('serve --embedded --out keeps a folder of files up to date', async t => {
  const { embedded, out, server: served } = await serveOut(t)
  const file = (name: string) => join(out, 'default', name)
  t.ok(existsSync(file('statefulset-dittofs-minimal.yaml')))
  t.notOk((await filesIn(out)).some(name => name.includes('unknown-class')), 'what admission denies makes nothing')
  t.match(served.stdout(), /^ {2}creates StatefulSet dittofs-minimal$/m)
  t.equal((await stat(file('secret-dittofs-minimal-jwt-secret.yaml'))).mode & 0o777, 0o600)
  const key = readFileSync(file('secret-dittofs-minimal-jwt-secret.yaml'), 'utf8')
  const before = await filesIn(out)

  await t.test('a server is added', async t => {
    writeFileSync(join(embedded, 'more.yaml'), server('more', ', metrics: {enabled: true}'))
    await eventually(async () => existsSync(file('service-more-metrics.yaml')), 'its files', 5_000)
    t.equal(readFileSync(file('secret-dittofs-minimal-jwt-secret.yaml'), 'utf8'), key, 'keys are made once')
  })
  await t.test('a part of it is removed', async t => {
    writeFileSync(join(embedded, 'more.yaml'), server('more'))
    await eventually(async () => !existsSync(file('service-more-metrics.yaml')), 'the file is gone', 5_000)
    t.ok(existsSync(file('service-more-file.yaml')))
  })
  await t.test('a server is refused: the last valid files are kept', async t => {
    writeFileSync(join(embedded, 'more.yaml'), server('more', ', replicas: 7, metrics: {enabled: true}'))
    await eventually(async () => served.logs().some(({ msg, name }) => msg === 'nothing is rendered' && name === 'more'), 'it is told', 5_000)
    t.ok(existsSync(file('statefulset-more.yaml')))
    t.notOk(existsSync(file('service-more-metrics.yaml')))
  })
  await t.test('a server is removed; other files are not changed', async t => {
    mkdirSync(join(out, 'default'), { recursive: true })
    writeFileSync(file('mine.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine}\n')
    writeFileSync(join(embedded, 'more.yaml'), '')
    await eventually(async () => !existsSync(file('statefulset-more.yaml')), 'the files are gone', 5_000)
    t.strictSame(await filesIn(out), [...before, 'default/mine.yaml'].toSorted())
  })
})
