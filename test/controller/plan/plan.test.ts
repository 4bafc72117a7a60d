import t from 'tap'
import type { Observed } from '../../../src/controller/observed.ts'
import { plan } from '../../../src/controller/plan/plan.ts'
import { update } from '../../../src/controller/plan/settle.ts'
import { withDigest } from '../../../src/controller/applied-digest.ts'
import type { KubernetesObject } from '../../../src/cluster/kubernetes-object.ts'
import { configMap } from '../../../src/render/config-map.ts'
import { statefulSet as rendered } from '../../../src/render/stateful-set.ts'
import { inputsOf } from '../../../src/controller/plan/inputs.ts'
import { defaultPolicy } from '../../../src/rules/policy.ts'
import { child, observation, owner, told, type Scene } from '../observation.ts'

const planned = (scene: Scene | Observed = {}) => plan('server' in scene ? scene : observation(scene), defaultPolicy)
const steps = (scene: Scene = {}) => told(planned(scene).steps)
const key = { 'demo-jwt-secret': { 'jwt-secret': 'k'.repeat(43) } }
const says = (scene: Scene, condition: string) =>
  planned(scene).parts.findLast(part => part.condition === condition && part.says)?.says?.([])

/** The StatefulSet as it is once everything was applied. */
function applied (scene: Scene, change: (object: KubernetesObject) => object = () => ({})): KubernetesObject {
  const observed = observation(scene)
  const inputs = inputsOf(observed)
  if (!inputs) throw new Error('nothing is known')
  const wanted = withDigest(rendered(observed.server, inputs) as unknown as KubernetesObject)
  const object = { ...wanted, metadata: { ...wanted.metadata, uid: 'StatefulSet-demo', resourceVersion: '3' } }
  return { ...object, ...change(object) } as KubernetesObject
}

t.test('a new server: the Secret first, because the config hash depends on it', async t => {
  const first = planned()
  t.strictSame(told(first.steps), ['create Secret demo-jwt-secret'])
  t.equal(first.stop?.why, 'continues')
  t.strictSame(steps({ secrets: key }), [
    'create ConfigMap demo-config', 'create Service demo-headless', 'create Service demo-file', 'create Service demo-api', 'create StatefulSet demo',
  ])
})

t.test('nothing is created before the finalizer', async t => {
  const { steps: [first] } = planned({ metadata: { finalizers: ['other/one'] } })
  t.match(first, { do: 'patch', kind: 'DittoServer', patch: { metadata: { resourceVersion: '7', finalizers: ['other/one', /finalizer/] } } })
})

t.test('an unchanged object is not written', async t => {
  const { server } = observation()
  const config = withDigest(configMap(server) as unknown as KubernetesObject)
  const there = { ...config, metadata: { ...config.metadata, uid: 'c', resourceVersion: '3', annotations: { ...config.metadata.annotations, other: 'x' } } }
  t.notOk(steps({ secrets: key, objects: { 'ConfigMap/demo-config': there } }).some(step => step.includes('ConfigMap')))
  const edited = { ...there, data: { 'config.yaml': 'nonsense' } }
  t.ok(steps({ secrets: key, objects: { 'ConfigMap/demo-config': edited } }).includes('apply ConfigMap demo-config'))
  const going = { ...edited, metadata: { ...edited.metadata, deletionTimestamp: 'now' } }
  t.notOk(steps({ secrets: key, objects: { 'ConfigMap/demo-config': going } }).some(step => step.includes('ConfigMap')), 'on its way out')
})

t.test('an object that is not ours is never changed, and stops the next steps', async t => {
  const objects = { 'Service/demo-file': child('Service', 'demo-file', { ownerReferences: [] }) }
  const found = planned({ secrets: key, objects })
  t.strictSame(told(found.steps), ['create ConfigMap demo-config', 'create Service demo-headless'])
  t.match(found.stop, { why: 'failed', message: /^Service demo-file exists and does not belong to this DittoServer/ })
  t.match(says({ secrets: key, objects }, 'ConfigReady'), { status: 'False', reason: 'ForeignObject' })
  t.match(planned({ objects: { 'Secret/demo-jwt-secret': child('Secret', 'demo-jwt-secret', { ownerReferences: [] }) } }).stop, { why: 'failed' })
  const twin = { ...owner, uid: 'another-server' }
  t.match(planned({ secrets: key, objects: { 'StatefulSet/demo': child('StatefulSet', 'demo', { ownerReferences: [twin] }) } }).stop, { why: 'failed' })
})

t.test('an unknown state stops the pass, and deletes nothing', async t => {
  const unknown = { state: 'unknown', reason: 'forbidden' } as const
  for (const name of ['ConfigMap/demo-config', 'Service/demo-metrics', 'StatefulSet/demo', 'Secret/demo-postgres-env']) {
    const found = planned({ secrets: key, objects: { [name]: unknown } })
    t.notOk(found.steps.some(step => step.do === 'delete'), name)
    if (!/metrics|postgres/.test(name)) t.match(found.stop, { why: 'failed', message: /forbidden/ }, name)
  }
  t.match(planned({ ...observation(), secrets: { state: 'unknown', reason: 'timed out' } }).stop, { why: 'failed', message: 'timed out' })
})

t.test('the signing key is created once', async t => {
  t.match(planned().steps[0], { do: 'create', object: { stringData: { 'jwt-secret': 'a'.repeat(43) } } })
  t.match(planned({ secrets: { 'demo-jwt-secret': {} } }).steps[0], { do: 'patch', kind: 'Secret', patch: { stringData: { 'jwt-secret': /^a+$/ } } }, 'or repaired')
  const theirs = { spec: { identity: { jwt: { secretRef: { name: 'mine', key: 'k' } } } } }
  t.notOk(steps(theirs).some(step => step.includes('Secret')), 'the user has one')
})

t.test('an external connection, split', async t => {
  const spec = { database: { postgresSecretRef: { name: 'pg', key: 'url' } } }
  const url = { ...key, pg: { url: 'postgres://me:hush@db/files' } }
  const split = { host: 'db', port: '5432', database: 'files', user: 'me', password: 'hush', sslmode: 'prefer' }
  const env = (data: Readonly<Record<string, string>>) => ({ ...url, 'demo-postgres-env': data })
  t.strictSame(steps({ spec, secrets: url }), ['create Secret demo-postgres-env'])
  t.strictSame(steps({ spec, secrets: env({ ...split, password: 'edited' }) }), ['apply Secret demo-postgres-env'], 'repaired')
  t.strictSame(steps({ spec, secrets: { ...key, pg: { host: 'db' }, 'demo-postgres-env': split } }), ['delete Secret demo-postgres-env'], 'keys instead')
  t.strictSame(steps({ secrets: { ...key, 'demo-postgres-env': split } }).slice(0, 1), ['delete Secret demo-postgres-env'], 'no longer used')
})

t.test('a refused spec changes nothing, but the database is protected', async t => {
  const cluster = child('PerconaPGCluster', 'demo-postgres')
  const spec = { percona: { enabled: true, deleteWithServer: false }, metrics: { enabled: true, port: 8080 } }
  const found = planned({ spec, perconaServed: true, secrets: key, objects: { 'PerconaPGCluster/demo-postgres': cluster } })
  t.match(found.steps, [{ do: 'patch', kind: 'PerconaPGCluster', patch: { metadata: { resourceVersion: '3', ownerReferences: [] } } }])
  const free = child('PerconaPGCluster', 'demo-postgres', { ownerReferences: [] })
  const next = planned({ spec, perconaServed: true, secrets: key, objects: { 'PerconaPGCluster/demo-postgres': free } })
  t.strictSame(next.steps, [])
  t.match(next.stop, { why: 'refused', observation: { reason: 'PortConflict' } })
})

t.test('the database', async t => {
  const spec = { percona: { enabled: true } }
  t.match(says({ spec, secrets: key }, 'DatabaseReady'), { reason: 'PerconaNotInstalled' })
  t.strictSame(planned({ spec, secrets: key, perconaServed: true }).asks, [{ kind: 'PerconaPGCluster', name: 'demo-postgres' }], 'one without our labels may exist')
  const absent = { 'PerconaPGCluster/demo-postgres': { state: 'absent' } } as const
  const made = steps({ spec, secrets: key, perconaServed: true, objects: absent })
  t.strictSame(made.at(-1), 'create PerconaPGCluster demo-postgres')
  t.notOk(made.includes('create StatefulSet demo'), 'the first start waits for it')
  const size = { spec: { resources: { requests: { storage: '1Gi' } } } }
  const claims = { ...absent, 'PersistentVolumeClaim/metadata-demo-0': child('PersistentVolumeClaim', 'metadata-demo-0', {}, size) }
  t.ok(steps({ spec, secrets: key, perconaServed: true, objects: claims }).includes('create StatefulSet demo'), 'one that ran before does not')
})

t.test('volumes grow: first the claims, then the StatefulSet is deleted without its pod and recreated', async t => {
  const before = { secrets: key }
  const after = { storage: { metadataSize: '2Gi' } }
  const claim = (name: string, storage: string) =>
    child('PersistentVolumeClaim', `${name}-demo-0`, { ownerReferences: [] }, { spec: { resources: { requests: { storage } } }, status: { capacity: { storage } } })
  const small = {
    'PersistentVolumeClaim/metadata-demo-0': claim('metadata', '1Gi'),
    'PersistentVolumeClaim/cache-demo-0': claim('cache', '5Gi'),
    'PersistentVolumeClaim/controlplane-demo-0': claim('controlplane', '1Gi'),
    'PersistentVolumeClaim/content-demo-0': { state: 'absent' } as const
  }
  const large = { ...small, 'PersistentVolumeClaim/metadata-demo-0': claim('metadata', '2Gi') }
  const set = { 'StatefulSet/demo': applied(before) }
  const storageSteps = (objects: Scene['objects'] = {}) => steps({ spec: after, secrets: key, objects }).filter(step => /Claim|StatefulSet/.test(step))
  t.strictSame(storageSteps({ ...small, ...set })[0], 'patch PersistentVolumeClaim metadata-demo-0')
  t.notOk(storageSteps({ ...small, ...set }).includes('delete StatefulSet demo'))
  const replaced = planned({ spec: after, secrets: key, objects: { ...large, ...set } }).steps.findLast(({ kind }) => kind === 'StatefulSet')
  t.match(replaced, { do: 'delete', propagation: 'Orphan', uid: 'StatefulSet-demo' })
  t.strictSame(storageSteps(large), ['create StatefulSet demo'])
  const doubtful = { ...large, 'PersistentVolumeClaim/cache-demo-0': { state: 'unlisted' } as const }
  t.strictSame(planned({ spec: after, secrets: key, objects: { ...doubtful, ...set } }).asks, [{ kind: 'PersistentVolumeClaim', name: 'cache-demo-0' }])
  const unknown = { ...large, 'PersistentVolumeClaim/cache-demo-0': { state: 'unknown', reason: 'timed out' } as const }
  t.match(planned({ spec: after, secrets: key, objects: { ...unknown, ...set } }).stop, { why: 'failed', message: /timed out/ })
})

t.test('deletion', async t => {
  const deleted = { metadata: { deletionTimestamp: 'now' } }
  t.strictSame(planned(deleted), { ...planned(deleted), steps: [], stop: { why: 'deleting' } }, 'it is told before anything is taken away')
  const told1 = { ...deleted, status: { phase: 'Deleting' } }
  t.strictSame(planned({ ...told1, perconaServed: true }).asks.map(({ kind }) => kind), ['DittoServer', 'PerconaPGCluster'])

  const read = (spec: object, cluster?: KubernetesObject) => {
    const base = observation({ ...told1, spec, perconaServed: true })
    const object = base.object
    return plan(observation({
      ...told1,
      spec,
      perconaServed: true,
      objects: {
        'DittoServer/demo': { state: 'present', object, read: true },
        'PerconaPGCluster/demo-postgres': cluster ? { state: 'present', object: cluster, read: true } : { state: 'absent' },
      }
    }), defaultPolicy)
  }
  const cluster = child('PerconaPGCluster', 'demo-postgres')
  t.strictSame(told(read({}).steps), ['patch DittoServer demo'])
  t.match(read({ percona: { enabled: true } }, cluster).steps, [{ do: 'patch', patch: { metadata: { ownerReferences: [] } }, event: { reason: 'PerconaOrphaned' } }, { kind: 'DittoServer' }])
  t.match(read({ percona: { enabled: true, deleteWithServer: true } }, cluster).steps, [
    { do: 'patch', patch: { metadata: { finalizers: ['percona.com/delete-pvc', 'percona.com/delete-ssl'] } } },
    { do: 'delete', uid: cluster.metadata.uid, event: { reason: 'PerconaDeleted' } }, { kind: 'DittoServer' },
  ])
  const going = child('PerconaPGCluster', 'demo-postgres', { deletionTimestamp: '2026-01-01T00:00:00Z' })
  t.match(read({ percona: { enabled: true, deleteWithServer: true } }, going).steps, [
    { do: 'patch', kind: 'DittoServer', event: { reason: 'PerconaDataStays' } },
  ], 'somebody else was faster')
  const stranger = child('PerconaPGCluster', 'demo-postgres', { labels: {}, ownerReferences: [] })
  t.strictSame(told(read({ percona: { enabled: true, deleteWithServer: true } }, stranger).steps), ['patch DittoServer demo'], 'not ours')
  const unknown = observation({
    ...told1,
    perconaServed: true,
    objects: {
      'DittoServer/demo': { state: 'present', object: observation(told1).object, read: true }, 'PerconaPGCluster/demo-postgres': { state: 'unknown', reason: 'forbidden' },
    }
  })
  t.match(plan(unknown, defaultPolicy), { steps: [], stop: { why: 'failed' } }, 'nothing is forced')
})

t.test('entries of other clients in our lists are removed before ours are applied', async t => {
  const wanted = withDigest(child('Service', 'x', {}, { spec: { ports: [{ name: 'api', port: 8080 }], selector: { app: 'a' } } }))
  const current = (spec: object) => ({ ...child('Service', 'x'), spec }) as KubernetesObject
  const [step] = update('Service', wanted, current({ ports: [{ name: 'api', port: 81 }], selector: { app: 'a' } }))
  t.match(step, { do: 'patch', patch: { metadata: { uid: 'Service-x', resourceVersion: '3' }, spec: { ports: [{ name: 'api', port: 8080 }] } } })
  t.notMatch(step, { patch: { spec: { selector: {} } } })
  t.match(update('Service', wanted, current({ ports: [{ name: 'api', port: 8080 }], selector: { app: 'b' } })), [{ do: 'apply', uid: 'Service-x' }])
})
