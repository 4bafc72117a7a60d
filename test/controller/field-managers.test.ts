import t from 'tap'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { absorb, leaveToOthers, managersToAbsorb, withoutFieldSets } from '../../src/controller/field-managers.ts'

const entry = (manager: string, operation: string, fieldsV1: object, subresource?: string) =>
  ({ manager, operation, apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1, ...(subresource ? { subresource } : {}) })
const object = (managedFields: readonly object[] | undefined, rest: object = {}): KubernetesObject =>
  ({ apiVersion: 'v1', kind: 'X', metadata: { name: 'x', ...(managedFields ? { managedFields } : {}) }, ...rest })
const ours = 'dittofs-operator'

t.test('fields of our create become part of our apply', async t => {
  const made = object([entry(ours, 'Update', { 'f:data': { 'f:a': {} } }), entry('kubectl', 'Update', { 'f:data': { 'f:b': {} } })])
  t.strictSame(managersToAbsorb(made), [ours])
  t.match(absorb(made), [{ manager: 'kubectl' }, { manager: ours, operation: 'Apply', fieldsV1: { 'f:data': { 'f:a': {} } } }])
  const both = object([entry(ours, 'Apply', { 'f:data': { 'f:a': {} } }), entry(ours, 'Update', { 'f:data': { 'f:c': {} }, 'f:spec': {} })])
  t.match(absorb(both), [{ operation: 'Apply', fieldsV1: { 'f:data': { 'f:a': {}, 'f:c': {} }, 'f:spec': {} } }])
  t.equal(absorb(both)?.length, 1)
})

t.test('and fields of another operator that created the object for the same server', async t => {
  const reference = (uid: string, more: object = {}) => ({ apiVersion: 'x', kind: 'DittoServer', name: 's', uid, controller: true, ...more })
  const owned = (ownerReferences: readonly object[], ...entries: readonly object[]) =>
    ({ ...object(entries), metadata: { name: 'x', ownerReferences, managedFields: entries } }) as KubernetesObject
  const set = (uid: string) => ({ 'f:metadata': { 'f:ownerReferences': { '.': {}, [`k:{"uid":"${uid}"}`]: {} } }, 'f:spec': { 'f:command': {} } })
  const person = entry('kubectl-edit', 'Update', { 'f:spec': { 'f:args': {} } })
  const taken = owned([reference('1')], entry('manager', 'Update', set('1')), person)
  t.strictSame(managersToAbsorb(taken), ['manager'])
  t.strictSame(absorb(taken), [person, entry(ours, 'Apply', set('1'))])
  t.strictSame(managersToAbsorb(withoutFieldSets(taken)), ['manager'], 'a cache remembers it')
  t.strictSame(managersToAbsorb(owned([reference('1')], entry('manager', 'Update', set('2')))), [], 'an owner that it has no more')
  t.strictSame(managersToAbsorb(owned([reference('1', { kind: 'Other' })], entry('manager', 'Update', set('1')))), [], 'of another kind')
  t.strictSame(managersToAbsorb(owned([reference('1')], entry('argo', 'Apply', set('1')))), [], 'one that applies takes back its own')
  t.strictSame(managersToAbsorb(owned([reference('1')], entry('manager', 'Update', set('1'), 'status'))), [])
})

t.test('other fields do not', async t => {
  for (const entries of [undefined, [], [entry(ours, 'Apply', {})], [entry(ours, 'Update', {}, 'status')], [entry('kubectl', 'Update', {})]]) {
    t.strictSame(managersToAbsorb(object(entries)), [])
    t.equal(absorb(object(entries)), undefined)
  }
})

t.test('a cache keeps the managers to absorb, and no field sets', async t => {
  t.strictSame(withoutFieldSets(object([entry(ours, 'Update', { 'f:a': {} }), entry('kubectl', 'Update', { 'f:b': {} })])).metadata,
    { name: 'x', managedFields: [{ manager: ours, operation: 'Update' }] })
  t.strictSame(withoutFieldSets(object([entry('kubectl', 'Update', {})])).metadata, { name: 'x' })
  t.strictSame(withoutFieldSets(object(undefined)).metadata, { name: 'x' })
})

t.test('fields that another manager has taken over are omitted', async t => {
  const instance = 'k:{"name":"instance1"}'
  const spec = (replicas: number) => ({ spec: { instances: [{ name: 'instance1', replicas }], paused: false } })
  const scaled = object([
    entry(ours, 'Apply', { 'f:spec': { 'f:instances': { [instance]: { '.': {}, 'f:name': {} } }, 'f:paused': {} } }),
    entry('kubectl', 'Update', { 'f:spec': { 'f:instances': { [instance]: { 'f:replicas': {} } } } }),
  ], spec(3))
  t.strictSame(leaveToOthers(object(undefined, spec(1)), scaled), {
    object: object(undefined, { spec: { instances: [{ name: 'instance1' }], paused: false } }), left: ['spec.instances[name=instance1].replicas'],
  })
  t.strictSame(leaveToOthers(object(undefined, spec(3)), scaled).left, [], 'as long as it says something else')

  const shared = object([
    entry(ours, 'Apply', { 'f:spec': { 'f:paused': {} } }), entry('kubectl', 'Update', { 'f:spec': { 'f:paused': {} } }),
  ], { spec: { paused: true } })
  t.strictSame(leaveToOthers(object(undefined, { spec: { paused: false } }), shared).left, [], 'what is ours as well stays ours')
  const status = object([entry('percona', 'Update', { 'f:spec': { 'f:paused': {} } }, 'status')], { spec: { paused: true } })
  t.strictSame(leaveToOthers(object(undefined, { spec: { paused: false } }), status).left, [])
  const map = object([entry('kubectl', 'Update', { 'f:spec': { 'f:global': { 'f:other': {} } } })], { spec: { global: { other: 'x' } } })
  t.strictSame(leaveToOthers(object(undefined, { spec: { global: { mine: 'y' } } }), map).left, [], 'a map is looked into')
})
