import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { manifestFiles } from '../../src/embedded/manifest-files.ts'
import { parseManifests, readManifests } from '../../src/embedded/manifests.ts'

const seen = (text: string) => parseManifests(text, 'a.yaml').map(({ apiVersion, kind, source }) => `${apiVersion} ${kind} ${source}`)

t.test('documents, lists, JSON, comments and empty files', t => {
  t.strictSame(seen(''), [])
  t.strictSame(seen('# nothing\n---\n---\n# here\n...\n'), [])
  t.strictSame(seen('{"apiVersion":"v1","kind":"Secret"}'), ['v1 Secret a.yaml'])
  t.strictSame(seen('apiVersion: v1\nkind: A\n---\n---\napiVersion: v1\nkind: B\n'), ['v1 A a.yaml', 'v1 B a.yaml:5'], 'the line of each document')
  t.strictSame(seen('apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A}\n- {apiVersion: v1, kind: BList, items: [{apiVersion: v1, kind: B}]}\n'),
    ['v1 A a.yaml', 'v1 B a.yaml'])
  t.strictSame(seen('\ufeffapiVersion: v1\nkind: A\n'), ['v1 A a.yaml'], 'a byte order mark')
  t.strictSame(seen('apiVersion: v1\r\nkind: A\r\n---\r\napiVersion: v1\r\nkind: B\r\n'), ['v1 A a.yaml', 'v1 B a.yaml:4'], 'line ends of Windows')
  t.end()
})

t.test('anchors and merge keys', t => {
  const [, second] = parseManifests('a: &a {x: 1}\napiVersion: v1\nkind: A\n---\napiVersion: v1\nkind: B\nbase: &b {x: 1}\nspec: {<<: *b, z: 2}\n', 'a.yaml')
  t.strictSame(second?.object.spec, { x: 1, z: 2 })
  t.end()
})

t.test('a document that is not an object is refused, with file and line', t => {
  const fails = (text: string, message: RegExp) => t.throws(() => parseManifests(text, 'a.yaml'), { name: 'ManifestError', message })
  fails('apiVersion: v1\nkind: A\n---\nkind: B\n', /^a\.yaml:\d: not a Kubernetes object: apiVersion and kind must be set$/)
  fails('hello', /^a\.yaml:1: not a Kubernetes object/)
  fails('[1, 2]', /^a\.yaml:1: not a Kubernetes object/)
  fails('apiVersion: v1\nkind: A\nspec: {a: [}\n', /^a\.yaml:3: /)
  fails('apiVersion: v1\nkind: A\n\tspec: 1\n', /^a\.yaml:3: /)
  fails('apiVersion: v1\nkind: A\nx: *nowhere\n', /^a\.yaml:3: unknown anchor 'nowhere'$/)
  t.end()
})

t.test('an alias bomb is not expanded', t => {
  const levels = Array.from({ length: 12 }, (_, level) => `l${level + 1}: &l${level + 1} [${new Array(10).fill(`*l${level}`).join()}]`)
  t.throws(() => parseManifests(`apiVersion: v1\nkind: A\nl0: &l0 [x]\n${levels.join('\n')}\n`, 'a.yaml'), {
    name: 'ManifestError', message: /^a\.yaml:\d+: aliases expand to too many nodes$/,
  })
  t.end()
})

t.test('the files that are read in a folder', async t => {
  const object = 'apiVersion: v1\nkind: A\n'
  const dir = t.testdir({
    'b.yaml': object,
    'a.yml': object,
    'c.json': '{}',
    'notes.txt': 'x',
    '.hidden.yaml': object,
    sub: { 'd.yaml': object },
    '.git': { 'e.yaml': object },
    'kustomization.yaml': 'x',
    'kustomization.yml': 'x',
    'kustomization.yaml.json': '{}',
    'folder.yaml': { 'g.yaml': object },
    'my-kustomization.yaml': object,
    'f.yaml.bak': 'x',
    gyaml: 'x',
  })
  const names = (await manifestFiles(dir)).map(file => file.slice(dir.length + 1))
  t.strictSame(names, ['a.yml', 'b.yaml', 'c.json', 'folder.yaml/g.yaml', 'kustomization.yaml.json', 'my-kustomization.yaml', 'sub/d.yaml'])
  t.strictSame(await manifestFiles(join(dir, 'notes.txt')), [join(dir, 'notes.txt')], 'a file is taken whatever it is called')
  await t.rejects(manifestFiles(join(dir, 'nowhere')), { code: 'ENOENT' })
  t.equal((await readManifests(join(dir, 'b.yaml')))[0]?.source, join(dir, 'b.yaml'))
})

t.test('a folder of a mounted ConfigMap', async t => {
  const dir = t.testdir({ '..2026': { 'a.yaml': 'apiVersion: v1\nkind: A\n' } })
  symlinkSync('..2026', join(dir, '..data'))
  symlinkSync('..data/a.yaml', join(dir, 'a.yaml'))
  t.strictSame(await manifestFiles(dir), [join(dir, 'a.yaml')], 'once, by its link')
})

t.test('hidden folders above the given one are ignored', async t => {
  const dir = join(t.testdir({ '.config': { 'a.yaml': '' } }), '.config')
  t.equal((await manifestFiles(dir)).length, 1)
  t.equal((await manifestFiles(`${dir}/`)).length, 1)
})
