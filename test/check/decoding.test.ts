import t from 'tap'
import { decodingErrors, decodingFindings } from '../../src/check/decoding.ts'
import { unknownFields } from '../../src/check/unknown-fields.ts'
import { sentence } from '../../src/rules/finding.ts'

type Json = Readonly<Record<string, unknown>>

const server = (metadata: unknown = {}, rest: Json = {}): Json => ({
  apiVersion: 'dittofs.dittofs.com/v1alpha1', kind: 'DittoServer', metadata: typeof metadata === 'object' && !Array.isArray(metadata) ? { name: 'a', ...metadata } : metadata, spec: {}, ...rest,
})
const said = (object: Json, stored?: Json) => decodingFindings(object, stored).map(finding => `${finding.severity} ${sentence(finding)}`)
const fields = (object: Json) => decodingErrors(object)
  .map(({ rule, field, found }) => [rule, field, ...found === undefined ? [] : [found]])

t.test('a valid manifest', t => {
  t.strictSame(said(server({
    namespace: 'files',
    labels: { 'app.kubernetes.io/name': 'X_y.z', empty: '', a: null },
    annotations: { 'Example.COM/A': 'anything\nat all' },
    finalizers: ['example.com/a', 'orphan', 'foregroundDeletion'],
    generation: 1,
    creationTimestamp: null,
    uid: 'u',
    resourceVersion: '7',
    generateName: 'a-',
    ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u', controller: true, blockOwnerDeletion: false }],
    managedFields: [{ manager: 'm', operation: 'Apply', apiVersion: 'v1', time: '2026-01-31T12:00:00Z', fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': {} }, subresource: 'status' }],
    deletionGracePeriodSeconds: 0,
    selfLink: '',
  }, { status: { phase: 'Running' } })), [])
  t.end()
})

t.test('unknown kinds and versions', t => {
  t.strictSame(said(server({}, { kind: 'DittoSever' })), [
    'deny kind: no matches for kind "DittoSever" in version "dittofs.dittofs.com/v1alpha1"; it must be DittoServer in dittofs.dittofs.com/v1alpha1 [KIND]',
  ])
  t.strictSame(fields(server({}, { apiVersion: 'dittofs.dittofs.com/v1' })), [['KIND', 'apiVersion']])
  t.strictSame(fields(server({}, { apiVersion: 'ditofs.dittofs.com/v1alpha1' })), [['KIND', 'apiVersion']])
  t.strictSame(fields(server({}, { kind: 'x', apiVersion: 'y' })), [['KIND', 'kind']])
  t.match(said(server({}, { kind: `\u001b[31m${'x'.repeat(500)}` }))[0], /^deny kind: no matches for kind "\\u\{1b\}\[31mx{122}…" in/)
  t.end()
})

t.test('unknown fields, with the paths of the API server', t => {
  t.strictSame(said(server({ foo: 1 }, { specs: {}, spec: { storage: { x: 1 }, nfsprt: 1, smb: { enable: { deep: 1 } } }, status: { phas: 'x' } })), [
    'metadata.foo', 'spec.nfsprt', 'spec.smb.enable', 'spec.storage.x', 'specs', 'status.phas',
  ].map(field => `deny ${field}: strict decoding error: unknown field "${field}" [UNKNOWN-FIELD]`))
  t.strictSame(fields(server({}, { spec: { resources: { claims: [{ name: 'a' }, { name: 'b', foo: 1 }], limits: { anything: 1 } }, service: { annotations: { any: 'thing' } } } })),
    [['UNKNOWN-FIELD', 'spec.resources.claims[1].foo']])
  t.strictSame(fields(server({ Labels: {}, ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u', extra: 1 }] })),
    [['UNKNOWN-FIELD', 'metadata.Labels'], ['UNKNOWN-FIELD', 'metadata.ownerReferences[0].extra']])
  t.strictSame(fields(server({}, { spec: { toString: 1, ...JSON.parse('{"__proto__": 1}') as object, constructor: 1 } })),
    ['spec.__proto__', 'spec.constructor', 'spec.toString'].map(field => ['UNKNOWN-FIELD', field]))
  t.strictSame(fields(server({}, { spec: 7, status: [] })), [], 'what is of another type has no fields')
  t.strictSame(fields(server({ lables: null }, { specs: null, spec: { nfsprt: null, storage: { x: null } } })), [], 'a null is an absent field')
  t.match(said(server({}, { spec: { 'a\n\u202eb': 1 } })), [/^deny spec\.a\\u\{a\}\\u\{202e\}b: strict decoding error: unknown field "spec\.a\\u\{a\}\\u\{202e\}b"/])
  t.match(said(server({}, { spec: { [`${'x'.repeat(300)}`]: 1 } }))[0], /unknown field "spec\.x{122}…"/)
  t.strictSame(unknownFields({ items: { properties: { a: { type: 'string' } } } }, [{ a: 1, b: 1 }, 7, { c: 1 }], 'list'), ['list[0].b', 'list[2].c'])
  t.end()
})

t.test('metadata with a wrong type', t => {
  const wrong: readonly (readonly [unknown, string, string])[] = [
    [7, 'metadata', 'must be an object'],
    [[], 'metadata', 'must be an object'],
    [{ name: 5 }, 'metadata.name', 'must be a string'],
    [{ namespace: true }, 'metadata.namespace', 'must be a string'],
    [{ labels: { a: 1 } }, "metadata.labels['a']", 'must be a string'],
    [{ labels: [] }, 'metadata.labels', 'must be an object'],
    [{ annotations: { a: true } }, "metadata.annotations['a']", 'must be a string'],
    [{ annotations: { 'a/b': {} } }, "metadata.annotations['a/b']", 'must be a string'],
    [{ finalizers: 'a' }, 'metadata.finalizers', 'must be an array'],
    [{ finalizers: [1] }, 'metadata.finalizers[0]', 'must be a string'],
    [{ generation: 1.5 }, 'metadata.generation', 'must be an integer'],
    [{ creationTimestamp: 'yesterday' }, 'metadata.creationTimestamp', 'must be a time, such as 2026-01-31T12:00:00Z'],
    [{ deletionTimestamp: 'x' }, 'metadata.deletionTimestamp', 'must be a time, such as 2026-01-31T12:00:00Z'],
    [{ ownerReferences: [7] }, 'metadata.ownerReferences[0]', 'must be an object'],
    [{ ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u', controller: 'yes' }] }, 'metadata.ownerReferences[0].controller', 'must be a boolean'],
  ]
  for (const [metadata, field, detail] of wrong) {
    t.match(decodingErrors(server(metadata)), [{ rule: 'METADATA', severity: 'deny', field, problem: 'Invalid value', detail }], `${field}: ${detail}`)
    t.equal(decodingErrors(server(metadata)).length, 1)
  }
  t.end()
})

t.test('metadata with a wrong format', t => {
  const label = (key: string, value = 'x') => fields(server({ labels: { [key]: value } }))
  const long = 'x'.repeat(63)
  for (const key of ['a', 'A-b_c.d', '1', long, `a.b/${long}`, `${'a.'.repeat(126)}a/x`]) t.strictSame(label(key), [], key)
  for (const key of ['', 'bad key!!', '-a', 'a-', '.a', 'a/b/c', '/a', 'a/', `${long}x`, 'A/b', 'a_b/c', `${'a.'.repeat(127)}a/x`, 'é', 'a/-']) {
    t.strictSame(label(key), [['METADATA', 'metadata.labels', key]], key)
  }
  for (const value of ['', 'X', '1', 'a.b_c-d', long]) t.strictSame(label('a', value), [], value)
  for (const value of ['bad value!', '-', 'a-', `${long}x`, 'a/b', ' ']) t.strictSame(label('a', value), [['METADATA', 'metadata.labels', value]], value)
  t.strictSame(fields(server({ annotations: { 'b b': 'x', 'UP_/x': 'y', 'UP/X': 'z' } })), [['METADATA', 'metadata.annotations', 'b b'], ['METADATA', 'metadata.annotations', 'UP_/x']])
  t.strictSame(fields(server({ annotations: { a: 'x'.repeat(262_143) } })), [])
  t.match(decodingErrors(server({ annotations: { a: 'é'.repeat(131_072) } })), [{ field: 'metadata.annotations', detail: 'must have at most 262144 bytes in total, has 262145' }])
  for (const namespace of ['a', '1-a', long]) t.strictSame(fields(server({ namespace })), [], namespace)
  for (const namespace of ['Upper_Case', 'a.b', '-', `${long}x`, '..']) t.strictSame(fields(server({ namespace })), [['METADATA', 'metadata.namespace', namespace]])
  t.strictSame(fields(server({ namespace: '' })), [])
  t.strictSame(fields(server({ finalizers: ['a b', 'a/b/c', 'a/b'] })), [['METADATA', 'metadata.finalizers', 'a b'], ['METADATA', 'metadata.finalizers', 'a/b/c']])
  t.strictSame(fields(server({ ownerReferences: [{ name: 'a', uid: 'u', apiVersion: '', kind: 'K' }, {}] })),
    ['[0].apiVersion', '[1].apiVersion', '[1].kind', '[1].name', '[1].uid'].map(field => ['METADATA', `metadata.ownerReferences${field}`]))
  const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u', controller: true }
  t.match(decodingErrors(server({ ownerReferences: [owner, owner] })), [{ field: 'metadata.ownerReferences', detail: 'one owner may be the controller, not 2' }])
  t.strictSame(fields(server({ ownerReferences: [owner, { ...owner, controller: false }] })), [])
  t.end()
})

t.test('generateName', t => {
  t.match(decodingErrors(server({ name: undefined, generateName: 'a-' })), [{ field: 'metadata.generateName', problem: 'Forbidden', detail: /^cannot use generate name with apply/ }])
  t.match(decodingErrors(server({ name: '', generateName: 'a-' })), [{ field: 'metadata.generateName' }])
  t.strictSame(fields(server({ generateName: 'a-' })), [], 'a name that is there wins')
  t.end()
})

t.test('finalizers that may collide with those of other programs', t => {
  const warning = (name: string) => `warn metadata.finalizers: '${name}' has no domain: use a name such as example.com/finalizer, which no one else uses [METADATA]`
  t.strictSame(said(server({ finalizers: ['foo', 'a/b', 'orphan', 'a.b'] })), [warning('foo'), warning('a.b')])
  t.strictSame(said(server({ finalizers: ['foo', 'new'] }), server({ finalizers: ['foo'] })), [warning('new')], 'those that were there are no news')
  t.strictSame(decodingErrors(server({ finalizers: ['foo'] })), [])
  t.end()
})

t.test('invalid values', t => {
  const nulls = { labels: null, finalizers: null, ownerReferences: null }
  for (const object of [{}, { metadata: null }, { metadata: nulls }, { apiVersion: 7, kind: [] }]) {
    t.doesNotThrow(() => decodingFindings(object as Json))
  }
  t.end()
})
