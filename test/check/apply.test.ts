import t from 'tap'
import { applied, storedObject } from '../../src/check/apply.ts'
import { withPatch } from '../../src/admission/mutate.ts'

type Json = Readonly<Record<string, unknown>>

t.test('the stored object after an apply', t => {
  const become = (manifest: Json, object: Json, original: Json) => applied(manifest, { object, original })
  t.strictSame(become({ a: 1 }, { a: 2, b: 3 }, {}), { a: 1, b: 3 }, 'what others have set stays')
  t.strictSame(become({ a: 1 }, { a: 2, b: 3 }, { b: 3 }), { a: 1 }, 'what was applied before and is not any more goes')
  t.strictSame(become({ a: { x: 1 } }, { a: { x: 2, y: 3, z: 4 } }, { a: { y: 3 } }), { a: { x: 1, z: 4 } }, 'deep down as well')
  t.strictSame(become({ a: [1] }, { a: [2, 3] }, { a: [2, 3] }), { a: [1] }, 'lists as a whole')
  t.strictSame(become({ a: { x: 1 } }, { a: 7 }, {}), { a: { x: 1 } })
  t.strictSame(become({ a: 7 }, { a: { x: 1 } }, {}), { a: 7 })
  t.strictSame(become({ a: { x: 1 } }, {}, { a: 7 }), { a: { x: 1 } })
  t.strictSame(become({ a: null, b: null }, { a: 1, b: 2 }, { a: 1 }), { b: 2 }, 'a null is an absent key')
  t.strictSame(become({}, { a: 1 }, { a: null }), { a: 1 }, 'and one that was applied before says nothing')
  t.strictSame(become({ ...JSON.parse('{"__proto__": {"x": 1}}') as Json }, { a: 1 }, {}), JSON.parse('{"a": 1, "__proto__": {"x": 1}}'))
  t.strictSame(become({ toString: { x: 1 } }, { constructor: 1 }, {}), { constructor: 1, toString: { x: 1 } })
  const object = { a: { x: 1 } }
  become({ a: { x: 2 } }, object, {})
  t.strictSame(object, { a: { x: 1 } }, 'nothing is changed in place')
  t.end()
})

t.test('the fields that were applied before', t => {
  const original = (object: Json) => storedObject(object).original
  const annotated = (text: unknown) => ({ metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': text } }, spec: { a: 1 } })
  t.strictSame(original(annotated('{"spec": {"b": 2}}')), { spec: { b: 2 } })
  for (const text of ['{', '[]', '7', 7, undefined]) t.strictSame(original(annotated(text)), { spec: { a: 1 } }, `an annotation that tells nothing: ${String(text)}`)
  t.strictSame(original({ spec: { a: 1 } }), { spec: { a: 1 } }, 'unknown: all of the spec')
  const managed = (...managedFields: object[]) => ({ metadata: { name: 'n', labels: { l: 'x', m: 'y' }, managedFields }, spec: { a: 1, b: { c: 2, d: 3 }, list: [{ k: 1 }, { k: 2 }] } })
  const apply = (fieldsV1: object) => ({ operation: 'Apply', fieldsV1 })
  t.strictSame(original(managed(apply({ 'f:spec': { 'f:b': { '.': {}, 'f:c': {} }, 'f:list': { 'k:{"k":1}': { '.': {}, 'f:k': {} } }, 'f:gone': {} } }))),
    { spec: { b: { c: 2 }, list: [{ k: 1 }, { k: 2 }] } })
  t.strictSame(original(managed(apply({ 'f:spec': { 'f:a': {} } }), apply({ 'f:spec': { 'f:b': {} }, 'f:metadata': { 'f:labels': { 'f:l': {} } } }), { operation: 'Update', fieldsV1: { 'f:spec': { 'f:list': {} } } })),
    { spec: { a: 1, b: { c: 2, d: 3 } }, metadata: { labels: { l: 'x' } } }, 'of every manager that applies')
  t.strictSame(original(managed({ operation: 'Update', fieldsV1: { 'f:spec': { 'f:a': {} } } })).spec, { a: 1, b: { c: 2, d: 3 }, list: [{ k: 1 }, { k: 2 }] })
  t.strictSame(original({ metadata: { managedFields: [7, apply({})] }, spec: 1 }), { metadata: { managedFields: [7, apply({})] }, spec: 1 })
  t.strictSame(original({ metadata: 7, spec: 1 }), { spec: 1 })
  t.end()
})

t.test('a patch', t => {
  const object = { spec: { storage: { a: 1 } }, other: {} }
  const result = withPatch(object, [{ op: 'add', path: '/spec/storage/cacheSize', value: '5Gi' }]) as typeof object
  t.strictSame(result, { spec: { storage: { a: 1, cacheSize: '5Gi' } }, other: {} })
  t.equal(result.other, object.other, 'only what leads to it is copied')
  t.strictSame(object, { spec: { storage: { a: 1 } }, other: {} })
  t.strictSame(withPatch(7, [{ op: 'add', path: '/a', value: 'x' }]), 7)
  t.strictSame(withPatch({ spec: 7 }, [{ op: 'replace', path: '/spec/a', value: 'x' }]), { spec: 7 })
  t.equal(withPatch(object, []), object)
  t.end()
})
