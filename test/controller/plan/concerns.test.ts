import t from 'tap'
import type { KubernetesObject } from '../../../src/cluster/kubernetes-object.ts'
import { withDigest } from '../../../src/controller/applied-digest.ts'
import type { Known, Observed } from '../../../src/controller/observed.ts'
import { configuration } from '../../../src/controller/plan/configuration.ts'
import { overgrown } from '../../../src/controller/plan/contains.ts'
import { databaseProtection, withoutOwner } from '../../../src/controller/plan/database-protection.ts'
import { database, isDatabaseReady } from '../../../src/controller/plan/database.ts'
import { deletion } from '../../../src/controller/plan/deletion.ts'
import { finalizer } from '../../../src/controller/plan/finalizer.ts'
import { hasOurLabels, isCollected, isOurDatabase, isOwned } from '../../../src/controller/plan/ownership.ts'
import type { Part } from '../../../src/controller/plan/part.ts'
import { dataStaysNote } from '../../../src/controller/plan/percona-deletion.ts'
import { unknownObject } from '../../../src/controller/plan/problem.ts'
import { replaceStatefulSet } from '../../../src/controller/plan/replacement.ts'
import { secrets } from '../../../src/controller/plan/secrets.ts'
import { statefulSet } from '../../../src/controller/plan/stateful-set.ts'
import { finalizer as ours } from '../../../src/dittoserver/api.ts'
import { labels } from '../../../src/render/names.ts'
import { child, observation, owner, told, type Scene } from '../observation.ts'

// Each concern of a plan separately.

const said = (part: Part) => part.says?.([])
const other = { apiVersion: 'v1', kind: 'ConfigMap', name: 'other', uid: 'other-uid' }
const percona = { enabled: true }
const jwt = { 'demo-jwt-secret': { 'jwt-secret': 'k'.repeat(43) } }
const cluster = (metadata: object = {}, status: object = {}) => child('PerconaPGCluster', 'demo-postgres', { ownerReferences: [], ...metadata }, { status })
const withCluster = (found: Known | KubernetesObject, scene: Scene = {}): Observed =>
  observation({ spec: { percona }, perconaServed: true, secrets: jwt, objects: { 'PerconaPGCluster/demo-postgres': found }, ...scene })
const unreadable = (observed: Observed): Observed => ({ ...observed, secrets: { state: 'unknown', reason: 'no permission' } })

t.test('ConfigReady is True if nothing blocks the configuration', async t => {
  t.match(said(configuration(observation({}))), { status: 'True', reason: 'ConfigValid' })
})

t.test('ownership is checked by uid', async t => {
  const { server } = observation({})
  const by = (reference: object) => child('Service', 'demo-api', { ownerReferences: [reference] })
  t.ok(isOwned(server, by(owner)))
  t.notOk(isOwned(server, by({ ...owner, uid: 'another' })))
  t.notOk(isOwned(server, by({ ...owner, controller: false })))
  t.ok(isCollected(server, by({ ...owner, controller: false })))
  t.notOk(isCollected(server, by({ ...owner, uid: 'another' })))
  t.ok(hasOurLabels(server, cluster()))
  t.notOk(hasOurLabels(server, cluster({ labels: {} })))
  t.ok(isOurDatabase(server, cluster({ labels: {}, ownerReferences: [owner] })))
  t.notOk(isOurDatabase(server, cluster({ labels: {} })))
})

t.test('our owner reference is removed, other owner references are kept', async t => {
  const observed = withCluster(cluster())
  const { patch } = withoutOwner(observed, cluster({ ownerReferences: [other, owner] }))
  t.strictSame(patch, { metadata: { resourceVersion: '3', ownerReferences: [other], labels: labels('demo') } })
  const { patch: adopted } = withoutOwner(observed, cluster({ labels: {}, ownerReferences: [owner] }))
  t.match(adopted, { metadata: { labels: labels('demo') } })
  const { patch: collected } = withoutOwner(observed, cluster({ labels: {}, ownerReferences: [{ ...owner, controller: false }] }))
  const maker = { 'f:metadata': { 'f:ownerReferences': { 'k:{"uid":"server-uid"}': {} } } }
  const managedFields = [{ manager: 'manager', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: maker }]
  const isAbsorbed = (metadata: object) => 'managedFields' in (withoutOwner(observed, cluster({ managedFields, ...metadata })).patch as { metadata: object }).metadata
  t.ok(isAbsorbed({ labels: {}, ownerReferences: [owner] }))
  t.notOk(isAbsorbed({ ownerReferences: [owner] }), 'one that has our labels is known by them')
  t.notOk(isAbsorbed({ labels: {} }))
  t.notOk('labels' in (collected as { metadata: object }).metadata, 'it is not ours to adopt')
})

t.test('a database is protected only if it must outlive its server', async t => {
  const owned = cluster({ ownerReferences: [owner] })
  t.match(databaseProtection(withCluster(owned)), { steps: [{ do: 'patch' }], stop: { why: 'continues' } })
  t.strictSame(databaseProtection(withCluster(owned, { spec: { percona: { enabled: true, deleteWithServer: true } } })).steps, [])
  t.match(databaseProtection(withCluster(owned, { spec: { percona: { enabled: false, deleteWithServer: true } } })).steps, [{ do: 'patch' }])
  t.strictSame(databaseProtection(withCluster(cluster())).steps, [])
  t.strictSame(databaseProtection(withCluster({ state: 'unlisted' })), { steps: [], asks: [{ kind: 'PerconaPGCluster', name: 'demo-postgres' }] })
  t.notOk(databaseProtection(withCluster({ state: 'unlisted' }, { perconaServed: false })).asks)
  t.notOk(databaseProtection(withCluster({ state: 'unlisted' }, { spec: {} })).asks)
})

t.test('the conditions of a database', async t => {
  const reason = (found: Known | KubernetesObject, scene?: Scene) => said(database(withCluster(found, scene)))?.reason
  t.equal(said(database(observation({}))), undefined)
  t.equal(reason({ state: 'absent' }, { perconaServed: false }), 'PerconaNotInstalled')
  t.equal(reason(cluster({ deletionTimestamp: 'now' }, { state: 'ready' })), 'PerconaTerminating')
  t.equal(reason(cluster({ labels: {} }, { state: 'ready' })), 'PerconaNotRecognised')
  t.equal(reason(cluster({}, { state: 'ready' })), 'PerconaReady')
  t.equal(reason(cluster({}, { state: 'initializing' })), 'PerconaNotReady')
  t.ok(isDatabaseReady(observation({})))
  t.ok(isDatabaseReady(withCluster(cluster({}, { state: 'ready' }))))
  t.notOk(isDatabaseReady(withCluster(cluster({}, { state: 'initializing' }))))
})

t.test('a database that cannot be read is read again, and is not ready until then', async t => {
  const unknown = withCluster({ state: 'unknown', reason: 'no answer' })
  t.strictSame(database(unknown), { steps: [], stop: { why: 'failed', message: 'PostgreSQL cluster demo-postgres cannot be read: no answer' } })
  t.notOk(isDatabaseReady(unknown))
  t.match(database(unreadable(withCluster(cluster()))), { steps: [], stop: { why: 'failed', message: 'a Secret cannot be read' } })
})

t.test('a database that is being deleted or belongs to something else is not written', async t => {
  t.strictSame(told(database(withCluster({ state: 'absent' })).steps), ['create PerconaPGCluster demo-postgres'])
  t.strictSame(told(database(withCluster(cluster())).steps), ['apply PerconaPGCluster demo-postgres'])
  t.match(database(withCluster(cluster())).steps, [{ uid: 'PerconaPGCluster-demo-postgres', resourceVersion: '3' }])
  t.strictSame(database(withCluster(cluster({ deletionTimestamp: 'now' }))).steps, [])
  t.strictSame(database(withCluster(cluster({ labels: {} }))).steps, [])
  const [step] = database(withCluster({ state: 'absent' })).steps
  const made = step?.do === 'create' ? step.object : cluster()
  const asMade = { ...made, metadata: { ...made.metadata, uid: 'u', resourceVersion: '3' } }
  t.strictSame(database(withCluster(asMade)).steps, [], 'it is as it was applied')
})

t.test('a database with edited fields, or with another apply, is applied again', async t => {
  const [step] = database(withCluster({ state: 'absent' })).steps
  const made = step?.do === 'create' ? step.object : cluster()
  const metadata = { ...made.metadata, uid: 'u', resourceVersion: '3' }
  const applied = (change: object) => told(database(withCluster({ ...made, metadata, ...change } as KubernetesObject)).steps)
  t.strictSame(applied({ metadata: { ...metadata, annotations: {} } }), ['apply PerconaPGCluster demo-postgres'])
  t.strictSame(applied({ spec: { ...(made.spec as object), instances: [] } }), ['apply PerconaPGCluster demo-postgres'])
})

t.test('the database condition names the fields that are not changed, and no others', async t => {
  const message = (found: Known | KubernetesObject, scene?: Scene) => said(database(withCluster(found, scene)))?.message
  t.equal(message({ state: 'absent' }), "PostgreSQL cluster demo-postgres is in state 'unknown'.")
  const spec = (storage: string) => ({ instances: [{ name: 'instance1', dataVolumeClaimSpec: { resources: { requests: { storage } } } }] })
  t.equal(message({ ...cluster({}, { state: 'ready' }), spec: spec('1Gi') }), 'PostgreSQL is ready.')
  t.match(message({ ...cluster({}, { state: 'ready' }), spec: spec('900Gi') }), /not changed to protect the data: spec\.instances\[name=instance1\]/)
  const old = { spec: { percona: { enabled: true, postgresVersion: 11 } } }
  const refused = database(withCluster({ state: 'absent' }, old))
  t.match(said(refused), { reason: 'PostgresVersionNotOffered' })
  t.strictSame(refused.steps, [])
})

t.test('a deleted server is read again, then its finalizer is removed', async t => {
  const metadata = { deletionTimestamp: 'now' }
  const scene = (server: Known | undefined, more: Scene = {}) =>
    deletion(observation({ metadata, status: { phase: 'Deleting' }, ...more, objects: { ...server ? { 'DittoServer/demo': server } : {}, ...more.objects } }))
  const { object } = observation({ metadata, status: { phase: 'Deleting' } })
  const read: Known = { state: 'present', object, read: true }
  t.strictSame(deletion(observation({})), { steps: [] })
  t.match(deletion(observation({ metadata })), { steps: [], stop: { why: 'deleting' } }, 'the status says so first')
  t.strictSame(scene(undefined), { steps: [], asks: [{ kind: 'DittoServer', name: 'demo' }] })
  t.match(scene(undefined, { perconaServed: true }).asks, [{ kind: 'DittoServer' }, { kind: 'PerconaPGCluster' }])
  t.strictSame(scene(read).steps, [{ do: 'patch', kind: 'DittoServer', name: 'demo', patch: { metadata: { resourceVersion: '7', finalizers: [] } } }])
  t.match(scene({ state: 'absent' }), { steps: [], stop: { why: 'deleting' } })
  t.strictSame(scene({ state: 'unknown', reason: 'away' }), { steps: [], stop: { why: 'failed', message: 'away' } })
  t.match(scene(read, { objects: { 'PerconaPGCluster/demo-postgres': { state: 'unknown', reason: 'away' } } }), { steps: [], stop: { why: 'failed' } })
  const anew: Known = { ...read, object: { ...object, metadata: { ...object.metadata, uid: 'another' } } }
  t.strictSame(scene(anew), { steps: [], stop: { why: 'deleting' } }, 'one of the same name is another one')
  const { finalizers: _, ...released } = object.metadata
  for (const finalizers of [undefined, ['other']]) {
    const metadata = { ...released, ...(finalizers ? { finalizers } : {}) }
    t.strictSame(scene({ ...read, object: { ...object, metadata } }).steps, [], 'it was let go already')
  }
  t.strictSame(deletion(observation({ metadata: { ...metadata, finalizers: ['other'] }, status: { phase: 'Deleting' } })).steps, [])
})

t.test('a database is deleted with its server if the current spec requests it, otherwise it is kept', async t => {
  const metadata = { deletionTimestamp: 'now', finalizers: [ours, 'other'] }
  const steps = (deleteWithServer: boolean, found: KubernetesObject, enabled = true) => {
    const spec = { percona: { enabled, deleteWithServer } }
    const { object } = observation({ metadata, spec })
    const objects: Scene['objects'] = { 'DittoServer/demo': { state: 'present', object, read: true }, 'PerconaPGCluster/demo-postgres': found }
    return deletion(observation({ metadata, spec, status: { phase: 'Deleting' }, perconaServed: true, objects })).steps
  }
  t.strictSame(told(steps(true, cluster())), ['patch PerconaPGCluster demo-postgres', 'delete PerconaPGCluster demo-postgres', 'patch DittoServer demo'])
  t.match(steps(true, cluster())[2], { patch: { metadata: { finalizers: ['other'] } } })
  t.strictSame(told(steps(false, cluster())), ['patch DittoServer demo'])
  t.strictSame(told(steps(true, cluster(), false)), ['patch DittoServer demo'])
  t.strictSame(told(steps(true, cluster({ labels: {} }))), ['patch DittoServer demo'], 'it is not ours')
  t.match(steps(false, cluster({ ownerReferences: [owner] })), [{ do: 'patch', event: { reason: 'PerconaOrphaned' } }, { kind: 'DittoServer' }])
  const gone = steps(true, cluster({ deletionTimestamp: 'now' }))
  t.match(gone, [{ kind: 'DittoServer', event: { type: 'Warning', reason: 'PerconaDataStays', note: dataStaysNote('demo-postgres') } }])
  t.match(dataStaysNote('x'), /x was already deleted by another client/)
})

t.test('our finalizer is added to existing ones', async t => {
  t.match(finalizer(observation({ metadata: { finalizers: ['other'] } })).steps, [{ do: 'patch', patch: { metadata: { resourceVersion: '7', finalizers: ['other', ours] } } }])
  t.strictSame(finalizer(observation({})), { steps: [] })
})

t.test('an unknown state stops a plan and deletes nothing', async t => {
  t.strictSame(unknownObject('why'), { steps: [], stop: { why: 'failed', message: 'why' } })
  t.match(secrets(unreadable(observation({}))), { steps: [], stop: { why: 'failed', message: 'no permission' } })
  const unknown: Known = { state: 'unknown', reason: 'no permission' }
  t.match(secrets(observation({ objects: { 'Secret/demo-jwt-secret': unknown } })), { steps: [], stop: { why: 'failed', message: 'no permission' } })
  t.match(statefulSet(observation({ objects: { 'StatefulSet/demo': unknown } })), { steps: [], stop: { why: 'failed' } })
  t.match(statefulSet(unreadable(observation({}))), { steps: [], stop: { why: 'failed' } })
})

t.test('a first start waits for its database, after checking that the server is new', async t => {
  const starting = cluster({}, { state: 'initializing' })
  const part = statefulSet(withCluster(starting))
  t.strictSame(part.steps, [])
  t.strictSame(part.asks, [{ kind: 'StatefulSet', name: 'demo' }])
  t.match(said(part), { status: 'Unknown', reason: 'Pending' })
  t.strictSame(statefulSet(withCluster(starting, { objects: { 'PerconaPGCluster/demo-postgres': starting, 'StatefulSet/demo': { state: 'absent' } } })).asks, [])
  const ready = statefulSet(withCluster(cluster({}, { state: 'ready' })))
  t.strictSame(told(ready.steps), ['create StatefulSet demo'])
  t.match(said(ready), { status: 'True', reason: 'StorageReady' })
})

t.test('a claim grows to the size in the spec', async t => {
  const small = child('PersistentVolumeClaim', 'metadata-demo-0', {}, { spec: { resources: { requests: { storage: '512Mi' } } } })
  const absent: Known = { state: 'absent' }
  const others = Object.fromEntries(['cache', 'content', 'controlplane'].map(name => [`PersistentVolumeClaim/${name}-demo-0`, absent]))
  const { steps, says } = statefulSet(observation({ secrets: jwt, objects: { 'PersistentVolumeClaim/metadata-demo-0': small, ...others } }))
  t.match(steps, [{ kind: 'PersistentVolumeClaim', name: 'metadata-demo-0', patch: { spec: { resources: { requests: { storage: '1Gi' } } } }, mayBeRefused: true }, { do: 'create' }])
  const [step] = steps
  if (step) t.match(says?.([{ step, outcome: 'refused', message: 'no' }]), { status: 'False', reason: 'ExpansionRefused', message: /no/ })
})

t.test('claims that would be deleted with their StatefulSet are kept first', async t => {
  const set = (policy: object) => child('StatefulSet', 'demo', {}, { spec: { persistentVolumeClaimRetentionPolicy: policy, selector: { matchLabels: {} } } })
  const steps = (policy: object) => told(replaceStatefulSet(observation({}), withDigest(set({})), set(policy)))
  t.strictSame(steps({ whenDeleted: 'Delete' }), ['patch StatefulSet demo'])
  t.strictSame(steps({ whenScaled: 'Delete' }), ['patch StatefulSet demo'])
  t.strictSame(steps({}), ['rehearse StatefulSet demo', 'delete StatefulSet demo'])
})

t.test('an additional entry in a list of plain values is a difference', async t => {
  t.equal(overgrown({ args: ['a', 'b'] }, { args: ['a', 'b'] }), undefined)
  t.strictSame(overgrown({ args: ['a', 'b'] }, { args: ['a', 'b', 'c'] }), { args: ['a', 'b'] })
})
