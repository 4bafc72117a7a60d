import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { runHere } from '../command-line/here.ts'

// The requirements for `check` as a gate: it refuses what kubectl refuses, and only that.

interface Entry { readonly rule: string, readonly field: string, readonly message: string }
interface Item { readonly name: string, readonly allowed: boolean, readonly errors: readonly Entry[], readonly warnings: readonly Entry[] }
interface Report { readonly allowed: boolean, readonly items: readonly Item[] }

const server = (spec = '', metadata = '') =>
  `apiVersion: dittofs.dittofs.com/v1alpha1\nkind: DittoServer\nmetadata: {name: demo${metadata}}\nspec: {storage: {metadataSize: 10Gi}${spec}}\n`

async function check (args: readonly string[], input = '', cwd?: string) {
  const before = process.cwd()
  if (cwd !== undefined) process.chdir(cwd)
  const outcome = await runHere(['check', '-o', 'json', ...args], { input }).finally(() => { process.chdir(before) })
  const report = outcome.stdout.startsWith('{') ? JSON.parse(outcome.stdout) as Report : undefined
  const said = report?.items.flatMap(({ errors, warnings }) => [...errors, ...warnings].map(({ message }) => message)) ?? []
  return { ...outcome, items: report?.items ?? [], said, allowed: report?.allowed }
}

async function refuses (t: Test, input: string, message: RegExp, ...args: string[]) {
  const { code, said, stderr } = await check(['-f', '-', ...args], input)
  t.equal(code, 1, `${stderr}${input}`)
  t.match(said.join('\n'), message)
}

const allows = async (t: Test, input: string, ...args: string[]) => {
  const { code, said, stderr } = await check(['-f', '-', ...args], input)
  t.equal(code, 0, `${stderr}${said.join('\n')}`)
}

t.test('unknown fields', async t => {
  await refuses(t, server(', nfsprt: 2049'), /strict decoding error: unknown field "spec\.nfsprt"/)
  await refuses(t, server(', smb: {enable: true}'), /strict decoding error: unknown field "spec\.smb\.enable"/)
  await refuses(t, `${server()}specs: {}\n`, /unknown field "specs"/)
  await refuses(t, server('', ', lables: {a: b}'), /unknown field "metadata\.lables"/)
})

t.test('metadata', async t => {
  await refuses(t, server('', ', annotations: {a: 1}'), /metadata\.annotations/)
  await refuses(t, server('', ', labels: {"bad key!!": x}'), /metadata\.labels: Invalid value: 'bad key!!'/)
  await refuses(t, server('', ', namespace: Upper_Case'), /metadata\.namespace: Invalid value/)
})

t.test('a typing error in kind or group', async t => {
  await refuses(t, server().replace('DittoServer', 'DittoSever'), /no matches for kind "DittoSever" in version "dittofs\.dittofs\.com\/v1alpha1"/)
  await refuses(t, server().replace('dittofs.dittofs', 'ditofs.dittofs'), /no matches for kind "DittoServer" in version "ditofs\.dittofs\.com\/v1alpha1"/)
})

t.test('nothing to judge', async t => {
  t.equal((await check(['-f', '-'], '')).code, 2)
  t.equal((await check(['-f', '-'], 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n')).code, 2)
})

t.test('YAML is read as in kubectl', async t => {
  await allows(t, server(', smb: {enabled: yes}, metrics: {enabled: off}'))
  await allows(t, server(', nfsPort: 030000'))
  await refuses(t, server(', percona: {databaseName: yes}'), /spec\.percona\.databaseName: Invalid value: 'true': must be a string/)
  await refuses(t, server(', nfsPort: 0300000'), /PORT-RANGE-NFS/)
})

t.test('the stored object has the same namespace and name', async t => {
  const bad = server(', replicas: 9')
  const dir = t.testdir({ 'bad.yaml': bad, dev: { 'files.yaml': server().replace('10Gi', '5Gi') }, prod: { 'files.yaml': server() } })
  for (const path of ['bad.yaml', './bad.yaml', join(dir, 'bad.yaml')]) {
    t.equal((await check(['-f', path, '--state', '.'], '', dir)).code, 1, path)
  }
  const { code, said } = await check(['-f', 'dev', '--state', '.'], '', dir)
  t.equal(code, 0, said.join())
})

t.test('an empty cacheSize keeps the stored value, as in the webhook', async t => {
  const cached = (size: string) => server().replace('10Gi', `10Gi, cacheSize: ${size}`)
  const previous = t.testdir({ 'a.yaml': cached('10Gi') })
  await allows(t, cached('""'), '--previous', previous)
  await refuses(t, cached('5Gi'), /STOR-SHRINK/, '--previous', previous)
  // For a removed field the API server fills in the default of the CRD before it calls the webhook.
  await refuses(t, server(), /STOR-SHRINK/, '--previous', previous)
})

t.test('the files that are read in a folder, however its path is written', async t => {
  const dir = t.testdir({ 'a.yaml': server(), '.hidden.yaml': server(), '.git': { 'b.yaml': server() } })
  for (const path of ['.', './', dir, `${dir}/`]) {
    const { items } = await check(['-f', path], '', dir)
    t.equal(items.length, 1, path)
  }
})

t.test('-n also applies to other objects', async t => {
  const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s3}\nstringData: {accessKeyId: a, secretAccessKey: b}\n'
  const { said } = await check(['-f', '-', '-n', 'files', '--state', t.testdir({})], `${server(', s3: {credentialsSecretRef: {secretName: s3}}')}---\n${secret}`)
  t.notMatch(said.join('\n'), /Secret 's3' does not exist/)
})

t.test('one invalid manifest does not affect the others', async t => {
  const nested = `${'['.repeat(5_000)}${']'.repeat(5_000)}`
  const bad = [
    'hello',
    'a: [}',
    server(`, resources: {claims: ${nested}}`),
    server(', resources: {claims: [{name: {toString: 1}}]}'),
    server(`, image: "${'x'.repeat(3_000_000)}"`),
    server('', `, annotations: {a: ${'x'.repeat(3_000_000)}}`),
  ]
  const dir = t.testdir({})
  for (const [index, text] of bad.entries()) {
    mkdirSync(join(dir, String(index)))
    writeFileSync(join(dir, String(index), 'a.yaml'), text)
    writeFileSync(join(dir, String(index), 'b.yaml'), server('', '-good').replace(', -good', '-good'))
    const { code, items, stderr } = await check(['-f', join(dir, String(index))])
    t.equal(code, 1, `${text.slice(0, 200)}: ${stderr.slice(0, 500)}`)
    t.strictSame(items.map(({ allowed }) => allowed), [false, true], text.slice(0, 200))
    t.notMatch(stderr, /at .*\.ts:\d+/)
  }
})

t.test('the report matches the exit code', async t => {
  const warned = server(', metrics: {enabled: true, port: 8080}')
  const { code, allowed } = await check(['-f', '-', '--warnings-as-errors'], warned)
  t.equal(code, 1)
  t.equal(allowed, false)
})
