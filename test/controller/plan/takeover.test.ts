import t from 'tap'
import type { KubernetesObject } from '../../../src/cluster/kubernetes-object.ts'
import { withDigest } from '../../../src/controller/applied-digest.ts'
import { inputsOf } from '../../../src/controller/plan/inputs.ts'
import { plan } from '../../../src/controller/plan/plan.ts'
import type { Known } from '../../../src/controller/observed.ts'
import type { Step } from '../../../src/controller/step.ts'
import { configMap } from '../../../src/render/config-map.ts'
import { labels } from '../../../src/render/names.ts'
import { headlessService } from '../../../src/render/services.ts'
import { statefulSet as rendered } from '../../../src/render/stateful-set.ts'
import { defaultPolicy } from '../../../src/rules/policy.ts'
import { goObjects } from '../../stories/go-operator.ts'
import { child, observation, told, type Scene } from '../observation.ts'

// The plan for a server that the Go operator created, and for immutable fields.

const secrets = { 'demo-jwt-secret': { 'jwt-secret': 'k'.repeat(43) } }
const storage = { metadataSize: '1Gi', cacheSize: '1Gi' }
const status = { phase: 'Running' }

/** The objects of the Go operator as they are read from a cluster. */
function goScene (
  spec: object = {}, change: (object: KubernetesObject) => object = () => ({}),
): Readonly<Record<string, KubernetesObject>> {
  const server = { metadata: { name: 'demo', uid: 'server-uid' }, spec: { storage, ...spec } }
  return Object.fromEntries(goObjects(server).map(object => {
    const { kind, metadata } = object
    const fieldsV1 = { 'f:metadata': { 'f:ownerReferences': { '.': {}, 'k:{"uid":"server-uid"}': {} } }, 'f:spec': {} }
    const managedFields = [{ manager: 'manager', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1 }]
    const found = { ...object, metadata: { ...metadata, uid: `${kind}-uid`, resourceVersion: '3', managedFields } } as unknown as KubernetesObject
    return [`${kind}/${metadata.name}`, { ...found, ...change(found) } as KubernetesObject]
  }))
}

const pod = child('Pod', 'demo-0', { labels: { app: 'dittofs-server', instance: 'demo' } })
const claim = (name: string, storage: string, metadata: object = {}) =>
  child('PersistentVolumeClaim', `${name}-demo-0`, metadata, { spec: { resources: { requests: { storage } } }, status: { capacity: { storage } } })
const absent: Known = { state: 'absent' }
const claims = {
  'PersistentVolumeClaim/metadata-demo-0': claim('metadata', '1Gi'),
  'PersistentVolumeClaim/cache-demo-0': claim('cache', '1Gi'),
  'PersistentVolumeClaim/content-demo-0': absent,
  'PersistentVolumeClaim/controlplane-demo-0': absent,
}
const base: Scene = { spec: { storage }, status, secrets, objects: { ...goScene(), ...claims, 'Pod/demo-0': pod, 'Service/demo-metrics': absent } }
const planned = (scene: Scene = {}) =>
  plan(observation({ ...base, ...scene, objects: { ...base.objects, ...scene.objects } }), defaultPolicy)
const about = (kind: string, steps: readonly Step[]) => steps.filter(step => step.kind === kind)

t.test('its ConfigMap and its Services are applied, and its fields become ours', async t => {
  const { steps } = planned()
  t.strictSame(told([...about('ConfigMap', steps), ...about('Service', steps)]),
    ['apply ConfigMap demo-config', 'apply Service demo-headless', 'apply Service demo-file', 'apply Service demo-api'])
  for (const step of steps) if (step.do === 'apply') t.strictSame(step.absorb, ['manager'], step.name)
})

/** Its StatefulSet after the first step. */
const stopped = (status: object) => goScene({}, object => object.kind === 'StatefulSet'
  ? { metadata: { ...object.metadata, labels: labels('demo') }, spec: { ...(object.spec as object), replicas: 0 }, status }
  : {})

t.test('its StatefulSet gets our labels and is stopped, because an update cannot add a volume to its pod', async t => {
  t.match(about('StatefulSet', planned().steps), [
    { do: 'patch', patch: { metadata: { uid: 'StatefulSet-uid', resourceVersion: '3', labels: labels('demo') }, spec: { replicas: 0 } } },
  ])
  t.strictSame(about('StatefulSet', planned({ objects: stopped({ replicas: 1 }) }).steps), [], 'its pod is still there')
})

t.test('then it is replaced by the next one', async t => {
  const steps = about('StatefulSet', planned({ objects: stopped({ replicas: 0 }) }).steps)
  t.match(steps, [
    { do: 'rehearse', object: { spec: { podManagementPolicy: 'Parallel' } } }, { do: 'delete', uid: 'StatefulSet-uid', propagation: 'Orphan' },
  ])
  t.equal(steps.length, 2)
  const [rehearsed] = steps
  const { object: { spec } } = rehearsed as unknown as { object: { spec: { volumeClaimTemplates: KubernetesObject[] } } }
  const templates = spec.volumeClaimTemplates
  t.strictSame(templates.map(({ metadata }) => metadata.name), ['metadata', 'cache', 'controlplane'])
  const gone = { 'StatefulSet/demo': { ...goScene()['StatefulSet/demo'], state: 'absent' } as Known }
  t.strictSame(told(about('StatefulSet', planned({ objects: gone }).steps)), ['create StatefulSet demo'])
})

t.test('objects that no watch shows are read by name, unless the server is new', async t => {
  const unlisted: Known = { state: 'unlisted' }
  t.strictSame(planned({ objects: { 'Service/demo-metrics': unlisted } }).asks, [{ kind: 'Service', name: 'demo-metrics' }])
  const left = goScene({ metrics: { enabled: true } })
  t.ok(told(planned({ objects: left }).steps).includes('delete Service demo-metrics'))
  t.strictSame(plan(observation({ secrets }), defaultPolicy).asks, [], 'a new server')
  const ours = withDigest(child('StatefulSet', 'demo'))
  t.strictSame(planned({ objects: { 'StatefulSet/demo': ours, 'Service/demo-metrics': unlisted } }).asks, [], 'one that was taken over')
})

t.test('not while a volume could be omitted', async t => {
  const scene = goScene({ storage: { ...storage, contentSize: '2Gi' } })
  const steps = about('StatefulSet', planned({ objects: scene }).steps)
  t.notOk(steps.some(step => step.do === 'delete'))
  const { asks } = planned({ objects: { 'PersistentVolumeClaim/cache-demo-0': { state: 'unlisted' } } })
  t.strictSame(asks, [{ kind: 'PersistentVolumeClaim', name: 'cache-demo-0' }], 'claims are looked at first')
  const unknown: Known = { state: 'unknown', reason: 'timed out' }
  t.match(planned({ objects: { 'PersistentVolumeClaim/cache-demo-0': unknown } }).stop, { why: 'failed', message: /timed out/ })
})

t.test('not if it could not be recreated at once', async t => {
  const spec = { storage, percona: { enabled: true } }
  const cluster = { 'PerconaPGCluster/demo-postgres': child('PerconaPGCluster', 'demo-postgres', { ownerReferences: [] }, { status: { state: 'initializing' } }) }
  const nothingRan = Object.fromEntries(Object.keys(claims).map(key => [key, absent]))
  const scene = { spec, perconaServed: true }
  const waiting = planned({ ...scene, objects: { ...cluster, ...nothingRan, 'Pod/demo-0': absent } })
  t.notOk(waiting.steps.some(step => step.do === 'delete' && step.kind === 'StatefulSet'), 'it would wait for its database')
  for (const objects of [{ ...cluster, ...nothingRan }, { ...cluster, 'Pod/demo-0': absent }]) {
    t.ok(told(planned({ ...scene, objects }).steps).includes('patch StatefulSet demo'), 'one that has run gets our labels, to be replaced')
  }
})

t.test('a StatefulSet that would delete its claims', async t => {
  const policy = goScene({}, object => object.kind === 'StatefulSet'
    ? { spec: { ...(object.spec as object), persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' } } }
    : {})
  t.match(about('StatefulSet', planned({ objects: policy }).steps), [
    { do: 'patch', patch: { spec: { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' } } } },
  ])
  const held = { 'PersistentVolumeClaim/cache-demo-0': claim('cache', '1Gi', { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'demo', uid: 'StatefulSet-uid' }] }) }
  t.strictSame(about('StatefulSet', planned({ objects: held }).steps), [], 'until none has it as its owner')
})

t.test('another selector', async t => {
  const template = (name: string) => ({ metadata: { name }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } })
  const other = { selector: { matchLabels: { app: 'other' } }, volumeClaimTemplates: ['metadata', 'cache', 'controlplane'].map(template) }
  const scene = (spec: object, more: object = {}) =>
    goScene({}, object => object.kind === 'StatefulSet'
      ? { metadata: { ...object.metadata, labels: labels('demo') }, spec: { ...(object.spec as object), ...spec }, ...more }
      : {})
  const steps = (objects: NonNullable<Scene['objects']>) => about('StatefulSet', planned({ objects }).steps)
  t.ok(told(steps(scene(other))).includes('delete StatefulSet demo'), 'the pod bears our labels as well')
  const stranger = { 'Pod/demo-0': child('Pod', 'demo-0', { labels: { app: 'other' } }) }
  for (const found of [stranger, { 'Pod/demo-0': { state: 'unlisted' } as Known }]) {
    t.match(steps({ ...scene(other), ...found }), [{ do: 'patch', patch: { spec: { replicas: 0 } } }])
    const stopped = { ...other, replicas: 0 }
    t.strictSame(steps({ ...scene(stopped, { status: { replicas: 1 } }), ...found }), [], 'its pod is still there')
    t.ok(told(steps({ ...scene(stopped, { status: { replicas: 0 } }), ...found })).includes('delete StatefulSet demo'))
  }
})

t.test('its PostgreSQL cluster', async t => {
  const spec = { storage, percona: { enabled: true } }
  const go = goScene({ percona: { enabled: true } })
  const scene = { spec, perconaServed: true, secrets: { ...secrets, 'demo-postgres-pguser-dittofs': {} } }
  const kept = planned({ ...scene, objects: go })
  t.match(kept.steps[0], {
    do: 'patch',
    kind: 'PerconaPGCluster',
    patch: { metadata: { ownerReferences: [], labels: labels('demo'), managedFields: [{ manager: 'dittofs-operator', operation: 'Apply' }] } },
  }, 'without an owner it is known by our labels, and what was set of it is ours')
  t.match(kept.stop, { why: 'continues' })

  const along = planned({ ...scene, spec: { ...spec, percona: { enabled: true, deleteWithServer: true } }, objects: go })
  t.match(about('PerconaPGCluster', along.steps), [{ do: 'apply', absorb: ['manager'], object: { metadata: { labels: labels('demo') } } }])
  t.match(planned({ ...scene, objects: { 'PerconaPGCluster/demo-postgres': { state: 'unlisted' } } }).asks, [{ kind: 'PerconaPGCluster' }])
  const disabled = planned({ perconaServed: true, objects: go })
  t.match(disabled.steps[0], { kind: 'PerconaPGCluster', patch: { metadata: { ownerReferences: [] } } }, 'also one that is no longer used')
  t.match(planned({ perconaServed: true, objects: { 'PerconaPGCluster/demo-postgres': { state: 'unlisted' } } }).asks, [{ kind: 'PerconaPGCluster' }])
})

t.test('a Service, a ConfigMap and a Secret with immutable differences are replaced', async t => {
  const observed = observation(base)
  const steps = (kind: 'Service' | 'ConfigMap', name: string, wanted: object, change: object) => {
    const live = { ...withDigest(wanted as KubernetesObject), ...change } as KubernetesObject
    return told(planned({ objects: { [`${kind}/${name}`]: { ...live, metadata: { ...live.metadata, uid: 'u', resourceVersion: '3' } } } }).steps).filter(step => step.endsWith(name))
  }
  const three = (what: string) => [`rehearse ${what}`, `delete ${what}`, `create ${what}`]
  const { spec, ...rest } = headlessService(observed.server)
  t.strictSame(steps('Service', 'demo-headless', { ...rest, spec }, { spec: { ...spec, clusterIP: '10.0.0.1' } }), three('Service demo-headless'))
  t.strictSame(steps('ConfigMap', 'demo-config', configMap(observed.server), { immutable: true, data: { 'config.yaml': 'old' } }), three('ConfigMap demo-config'))
  t.strictSame(steps('ConfigMap', 'demo-config', configMap(observed.server), { immutable: true }), [], 'one that is as it should be')

  const url = { 'demo-postgres-env': { host: 'old' }, pg: { url: 'postgres://me:hush@db/files' }, ...secrets }
  const external = observation({ spec: { storage, database: { type: 'postgres', postgresSecretRef: { name: 'pg', key: 'url' } } }, secrets: url })
  const withSecret = (more: object) => {
    const read = external.secrets.state === 'read' ? external.secrets.secrets : new Map()
    const env = read.get('demo-postgres-env') as object
    return told(plan({ ...external, secrets: { state: 'read', secrets: new Map([...read, ['demo-postgres-env', { ...env, ...more }]]) } } as typeof external, defaultPolicy).steps)
  }
  t.strictSame(withSecret({}), ['apply Secret demo-postgres-env'])
  t.strictSame(withSecret({ immutable: true }), three('Secret demo-postgres-env'))
  t.strictSame(withSecret({ type: 'example.com/other' }), three('Secret demo-postgres-env'))

  const key = observation({ secrets: { 'demo-jwt-secret': {} } })
  const immutable = { ...key, secrets: { state: 'read', secrets: new Map([['demo-jwt-secret', { data: {}, version: '1', immutable: true }]]) } } as typeof key
  t.strictSame(told(plan(immutable, defaultPolicy).steps), three('Secret demo-jwt-secret'), 'without a key it is of no use to anybody')
})

t.test('a pass after the takeover plans nothing for the StatefulSet', async t => {
  const observed = observation(base)
  const inputs = inputsOf(observed)
  if (!inputs) throw new Error('nothing is known')
  const { existingTemplates: _, ...afresh } = inputs
  const live = withDigest(rendered(observed.server, afresh) as unknown as KubernetesObject)
  const found = { ...live, metadata: { ...live.metadata, uid: 'u', resourceVersion: '3' } }
  t.strictSame(about('StatefulSet', planned({ objects: { 'StatefulSet/demo': found } }).steps), [])
})
