import t from 'tap'
import { editorSchema } from '../../src/playground/editor-schema.ts'
import type { StructuralSchema } from '../../src/dittoserver/structural.ts'
import { keyIn, kindAt, parentPath, schemaOf, siblings, typeOf } from '../../src/playground/page/schema-walk.ts'

// Where the cursor is: in text that is still being typed, so it need not be valid YAML.

/** A text with one `|`, at the cursor. */
function cursor (text: string) {
  const before = text.slice(0, text.indexOf('|')).split('\n')
  return { lines: text.replace('|', '').split('\n'), index: before.length - 1, indent: before.at(-1)?.length ?? 0 }
}

t.test('the map that a key at the cursor belongs to', async t => {
  const path = (text: string) => {
    const { lines, index, indent } = cursor(text)
    return parentPath(lines, index, indent).join('.')
  }
  t.equal(path('|'), '')
  t.equal(path('spec:\n  |'), 'spec')
  t.equal(path('spec:\n  storage:\n    metadataSize: 1Gi\n    |'), 'spec.storage')
  t.equal(path('spec:\n  storage:\n    metadataSize: 1Gi\n  |'), 'spec', 'back in the parent')
  t.equal(path('spec:\n\n  # a comment\n      # another\n  |'), 'spec', 'empty lines and comments')
  t.equal(path('spec:\n  storage: {}\n---\n|'), '', 'another document')
  t.equal(path('a:\n  b:\n    - name: x\n      |'), 'a.b.[]', 'an item of a list')
  t.equal(path('a:\n  b:\n    - name: x\n    - |'), 'a.b.[]')
  t.equal(path('a:\n  b:\n  - name: x\n    |'), 'a.b.[]', 'a list that is not indented')
  t.equal(path('a:\n  b:\n  - c:\n      d: 1\n      |'), 'a.b.[].c')
  t.equal(path('a:\n  - b: 1\n  |'), 'a', 'nothing fits there, and nothing breaks')
  t.equal(path("a:\n  'b.c':\n    |"), 'a.b.c', 'a quoted key')
})

t.test('the key of a line', async t => {
  t.strictSame(keyIn(['spec:', '  nfsPort: 2049'], 1), { path: ['spec', 'nfsPort'], key: 'nfsPort', from: 2, to: 9, value: 10 })
  t.strictSame(keyIn(['a:', '- b: c'], 1), { path: ['a', '[]', 'b'], key: 'b', from: 2, to: 3, value: 4 })
  for (const line of ['', '# a: b', '  - text', 'no colon', 'http://x']) t.equal(keyIn([line], 0), undefined, line)
})

t.test('the keys beside it, and the kind', async t => {
  const lines = ['kind: Secret', '---', 'kind: DittoServer', 'spec:', '  a: 1', '  b:', '    c: 1', '  ', '  d: 1', 'status:', '  e: 1']
  t.strictSame([...siblings(lines, 7, 2)], ['b', 'a', 'd'])
  t.equal(kindAt(lines, 0), 'Secret')
  t.equal(kindAt(lines, 8), 'DittoServer')
  t.equal(kindAt(['a: b'], 0), undefined)
})

t.test('in the schema that the page gets', async t => {
  const schema = JSON.parse(JSON.stringify(editorSchema())) as StructuralSchema
  t.match(schemaOf(schema, ['spec', 'nfsPort']), { type: 'integer', default: 12049, description: /NFS/ })
  t.match(schemaOf(schema, ['spec', 'service', 'annotations', 'a.b/c']), { type: 'string' }, 'an entry of a map')
  t.match(schemaOf(schema, ['spec', 'resources', 'claims', '[]', 'name']), { type: 'string' }, 'an item of a list')
  t.equal(schemaOf(schema, ['spec', 'nosuch', 'thing']), undefined)
  t.strictSame(schema.properties?.kind?.enum, ['DittoServer'])
  t.ok(schema.properties?.metadata?.properties?.name)
  t.notOk(schema.properties?.status, 'nobody writes it')
  t.strictSame(['spec', 'spec.nfsPort', 'spec.service.type', 'spec.service.annotations', 'spec.resources.claims']
    .map(path => typeOf(schemaOf(schema, path.split('.')) ?? {})), ['object', 'integer', 'ClusterIP | NodePort | LoadBalancer', 'map', 'list of objects'])
})
