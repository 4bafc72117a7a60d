import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { OutputFolder } from '../../src/embedded/output-folder.ts'

const object = (kind: string, name: string, rest: object = {}): KubernetesObject =>
  ({ apiVersion: 'v1', kind, metadata: { name, namespace: 'files' }, ...rest })
const [config, secret] = [object('ConfigMap', 'a', { data: { x: '1' } }), object('Secret', 's')]

t.test('the folder contains exactly the rendered objects', async t => {
  const dir = join(t.testdir({}), 'out', 'deep')
  const folder = new OutputFolder(dir)
  t.strictSame(await folder.manifests(), [], 'a folder that is not there yet')
  const both = ['files/configmap-a.yaml', 'files/secret-s.yaml']
  t.strictSame(await folder.write([config, secret]), { written: both, removed: [], foreign: [] })
  t.match(readFileSync(join(dir, 'files/configmap-a.yaml'), 'utf8'), /^# Rendered by dittofs-operator; changes are overwritten\.\napiVersion: v1\n/)
  t.equal(statSync(join(dir, 'files/secret-s.yaml')).mode & 0o777, 0o600, 'nobody else reads a Secret')
  t.not(statSync(join(dir, 'files/configmap-a.yaml')).mode & 0o044, 0)
  t.strictSame((await folder.manifests()).map(({ kind, name, object }) => [kind, name, object]), [
    ['ConfigMap', 'a', config], ['Secret', 's', secret],
  ])
  t.strictSame(await folder.write([config, secret]), { written: [], removed: [], foreign: [] }, 'what is as it should be is not written')
  t.strictSame(await folder.write([object('ConfigMap', 'a', { data: { x: '2' } }), secret]), { written: both.slice(0, 1), removed: [], foreign: [] })
  t.match(readFileSync(join(dir, 'files/configmap-a.yaml'), 'utf8'), 'x: "2"')
  t.strictSame(await folder.write([secret]), { written: [], removed: both.slice(0, 1), foreign: [] })
  t.notOk(existsSync(join(dir, 'files/configmap-a.yaml')))
  t.notOk(existsSync(join(dir, 'files/secret-s.yaml.tmp')))
})

t.test('other files are not changed', async t => {
  const mine = 'apiVersion: v1\nkind: Mine\n# Rendered by dittofs-operator; changes are overwritten.\n'
  const dir = t.testdir({ files: { 'configmap-a.yaml': mine, 'other.yaml': mine } })
  const folder = new OutputFolder(dir)
  t.strictSame(await folder.manifests(), [])
  t.strictSame(await folder.write([config, secret]), { written: ['files/secret-s.yaml'], removed: [], foreign: ['files/configmap-a.yaml'] })
  t.equal(readFileSync(join(dir, 'files/configmap-a.yaml'), 'utf8'), mine)
  t.strictSame(await folder.write([]), { written: [], removed: ['files/secret-s.yaml'], foreign: [] })
  t.equal(readFileSync(join(dir, 'files/other.yaml'), 'utf8'), mine)
})

t.test('values are written in full', async t => {
  const dir = t.testdir({})
  const shared = { x: '1' }
  const long = 'word '.repeat(50).trim()
  await new OutputFolder(dir).write([object('ConfigMap', 'a', { data: shared, more: shared, long })])
  const text = readFileSync(join(dir, 'files/configmap-a.yaml'), 'utf8')
  t.match(text, `\nlong: ${long}\n`)
  t.match(text, '\nmore:\n  x: "1"\n')
})

t.test('no name leads out of the folder', async t => {
  const folder = new OutputFolder(t.testdir({}))
  const refused = [
    ['..', 'a'], ['', 'a'], ['-a', 'a'], ...['../a', 'a/b', '', 'A', 'a.', '.a', 'a\n'].map(name => ['files', name] as const),
  ] as const
  for (const [namespace, name] of refused) {
    const illegal = { ...config, metadata: { name, namespace } }
    await t.rejects(folder.write([illegal]), /ConfigMap .*cannot be used as a file name/s, JSON.stringify([namespace, name]))
  }
  await t.rejects(folder.write([{ ...config, metadata: { name: 'a' } }]), /cannot be used as a file name/)
  const legal = { ...config, metadata: { name: 'a.b-c', namespace: '1' } }
  t.strictSame(await folder.write([legal]), { written: ['1/configmap-a.b-c.yaml'], removed: [], foreign: [] })
})

t.test('errors of the file system are reported', async t => {
  const dir = t.testdir({ files: {} })
  mkdirSync(join(dir, 'files/configmap-a.yaml'))
  await t.rejects(new OutputFolder(dir).write([config]), { code: 'EISDIR' })
  t.notOk(existsSync(join(dir, 'files/configmap-a.yaml.tmp')), 'nothing is written over what could not be read')
  writeFileSync(join(dir, 'file'), '')
  await t.rejects(new OutputFolder(join(dir, 'file')).manifests(), { code: 'EEXIST' })
})
