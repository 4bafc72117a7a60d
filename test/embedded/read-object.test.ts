import t from 'tap'
import { documentsIn, isBroken } from '../../src/embedded/documents.ts'
import { groupOf, isManifest, manifestsIn, parseManifests, textOf } from '../../src/embedded/manifests.ts'
import { readFrom } from '../../src/embedded/read-object.ts'

const manifests = parseManifests(`
{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "1"}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "2"}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: files}, data: {x: "3"}}
---
{apiVersion: other/v1, kind: ConfigMap, metadata: {name: b}}
---
{apiVersion: v1, kind: Service, metadata: {name: c}}
---
{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {both: b2xk, kept: a2VwdA==, odd: 5}, stringData: {both: new, made: made, odd2: 5}}
---
{apiVersion: v1, kind: Secret, metadata: {name: empty}}
---
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: perconapgclusters.pgv2.percona.com}}
`, 'test')
const read = readFrom(() => manifests)

t.test('an object in manifests, as if they had been applied in turn', async t => {
  const dataOf = async (namespace: string, name: string) => (await read('ConfigMap', namespace, name))?.data
  t.strictSame(await dataOf('default', 'a'), { x: '2' }, 'the later one')
  t.strictSame(await dataOf('', 'a'), { x: '2' }, 'no namespace is the default one')
  t.strictSame(await dataOf('files', 'a'), { x: '3' })
  t.equal(await read('ConfigMap', 'default', 'b'), undefined, 'one of another group')
  t.equal(await read('ConfigMap', 'default', 'c'), undefined, 'one of another kind')
  t.equal(await read('ConfigMap', 'other', 'a'), undefined)
  t.match(await read('CustomResourceDefinition', 'anywhere', 'perconapgclusters.pgv2.percona.com'), { kind: 'CustomResourceDefinition' }, 'what is in no namespace')
  t.notOk('data' in (await read('CustomResourceDefinition', '', 'perconapgclusters.pgv2.percona.com') ?? {}))
})

t.test('stringData of a Secret becomes data', async t => {
  const encoded = (text: string) => Buffer.from(text).toString('base64')
  t.strictSame((await read('Secret', 'default', 'a'))?.data, { both: encoded('new'), kept: encoded('kept'), odd: '', made: encoded('made'), odd2: '' })
  t.strictSame((await read('Secret', 'default', 'empty'))?.data, {})
})

t.test('list items inherit their kind, and have positions', async t => {
  const text = `apiVersion: v1
kind: ConfigMapList
items:
- metadata: {name: a}
- kind: Other
  apiVersion: x/v1
  metadata:
    name: b
    namespace: files
- {kind: ListList, items: [{metadata: {name: c}}]}
- 5
---
kind: B
---
apiVersion: v1
kind: C
`
  const found = manifestsIn(text, 'f.yaml', 'there')
  t.strictSame(found.map(each => {
    const { source, line } = each
    return isManifest(each) ? [source, line, each.apiVersion, each.kind, each.namespace, each.name] : [source, line, each.problem]
  }), [
    ['f.yaml', 4, 'v1', 'ConfigMap', 'there', 'a'],
    ['f.yaml', 5, 'x/v1', 'Other', 'files', 'b'],
    ['f.yaml', 10, 'v1', 'List', 'there', 'c'],
    ['f.yaml:11', 11, 'not a Kubernetes object'],
    ['f.yaml:13', 13, 'not a Kubernetes object: apiVersion and kind must be set'],
    ['f.yaml:15', 15, 'v1', 'C', 'there', ''],
  ])
  const second = found[1]
  t.equal(second && isManifest(second) && second.lineOf('metadata.namespace'), 9)
  t.strictSame(manifestsIn('apiVersion: v1\nkind: List\nitems:\n- {metadata: {name: a}}\n', 'f').map(each => isManifest(each)), [false], 'a List lends nothing')
  t.strictSame(manifestsIn('apiVersion: v1\nkind: List\nitems:\n- {kind: A}\n', 'f').map(each => isManifest(each)), [false])
  const [whole] = parseManifests('apiVersion: v1\nkind: A\nmetadata:\n  name: a\n', 'f')
  t.equal(whole?.lineOf('metadata.name'), 4)
  t.strictSame(manifestsIn('apiVersion: v1\nkind: Basket\nitems:\n- {metadata: {name: a}}\n', 'f').map(each => isManifest(each)), [false], 'nor does what is no list')
  for (const broken of ['kind: A', 'apiVersion: v1', 'apiVersion: ""\nkind: A', 'apiVersion: v1\nkind: ""', 'apiVersion: 1\nkind: A', 'apiVersion: v1\nkind: 1']) {
    t.throws(() => parseManifests(broken, 'f'), /must be set/, broken)
  }
  t.equal(groupOf({ apiVersion: 'v1' }), '')
  t.equal(groupOf({ apiVersion: 'a.b/v1' }), 'a.b')
})

t.test('texts with Windows encodings', async t => {
  t.equal(textOf(Buffer.from('aé')), 'aé')
  t.equal(textOf(Buffer.from('\ufeffaé', 'utf16le')), 'aé')
  t.equal(textOf(Buffer.from('\ufeffaé', 'utf16le').swap16()), 'aé')
  t.equal(textOf(Buffer.from('\ufeffaé')), 'aé')
  t.equal(textOf(Buffer.from([0xff])), '\ufffd')
})

t.test('numbers, nesting and whitespace', async t => {
  const value = (text: string) => documentsIn(text).map(document => isBroken(document) ? document.problem : document.value)
  t.strictSame(value('v: [.25, .5e3, .12345, 1.25, 12.5e-1, +.5]'), [{ v: [0.25, 500, 0.12345, 1.25, 1.25, 0.5] }])
  t.strictSame(value('v: [5x, 1.2.3, "a\\\\/b", a/b]'), [{ v: ['5x', '1.2.3', 'a\\/b', 'a/b'] }])
  t.strictSame(value('{"a": 1} \t\r\n {"b": 2}   '), [{ a: 1 }, { b: 2 }])
  t.strictSame(value('\n {"a": 1}{"b": 2}'), [{ a: 1 }, { b: 2 }])
  const [escaped] = documentsIn('{"a": "x\\/y",\n "b": 1, "b": 2}')
  t.strictSame(escaped && !isBroken(escaped) ? [escaped.lineOf('b'), escaped.duplicates()] : [], [1, []], 'JSON that is no YAML has no places')
  t.strictSame(value('a: "x"\nb: a/b \\/'), [{ a: 'x', b: 'a/b \\/' }], 'only what stands in the quoted text counts')
  const [list] = documentsIn('a:\n- - x\n  - y\n- z\n')
  t.strictSame(list && !isBroken(list) ? ['a[0][1]', 'a[1]', 'a.x[1]'].map(list.lineOf) : [], [3, 4, 1])
})
