import t from 'tap'
import { withDigest } from '../../../src/controller/applied-digest.ts'
import type { KubernetesObject } from '../../../src/cluster/kubernetes-object.ts'
import type { Known } from '../../../src/controller/observed.ts'
import { inputsOf } from '../../../src/controller/plan/inputs.ts'
import { statefulSet } from '../../../src/controller/plan/stateful-set.ts'
import type { Step } from '../../../src/controller/step.ts'
import { restartedAtAnnotation } from '../../../src/render/inputs.ts'
import { statefulSet as rendered } from '../../../src/render/stateful-set.ts'
import { child, observation, told, type Scene } from '../observation.ts'

const secrets = { 'demo-jwt-secret': { 'jwt-secret': 'k'.repeat(43) } }
const sizes = { metadata: '1Gi', cache: '5Gi', controlplane: '1Gi' }
const sized = (storage: string) => ({ spec: { resources: { requests: { storage } } }, status: { capacity: { storage } } })
const claims = (given: Readonly<Record<string, string>> = {}): Readonly<Record<string, Known>> =>
  Object.fromEntries(Object.entries({ ...sizes, ...given }).map(([name, storage]) => [`PersistentVolumeClaim/${name}-demo-0`, {
    state: 'present', object: child('PersistentVolumeClaim', `${name}-demo-0`, { ownerReferences: [] }, sized(storage)),
  }]))
const content = { 'PersistentVolumeClaim/content-demo-0': { state: 'absent' } as const }
const unlisted: Known = { state: 'unlisted' }
const part = (objects: Scene['objects'], scene: Scene = {}) => statefulSet(observation({ secrets, ...scene, objects: { ...objects } }))

/** The StatefulSet as it was applied, with some of it changed since. */
function applied ({ metadata = {}, spec = {} }: { readonly metadata?: object, readonly spec?: object } = {}) {
  const observed = observation({ secrets })
  const inputs = inputsOf(observed)
  if (!inputs) throw new Error('all is known')
  const made = withDigest(rendered(observed.server, inputs) as unknown as KubernetesObject)
  const seen = { ...made.metadata, uid: 'u', resourceVersion: '3', ...metadata }
  return { 'StatefulSet/demo': { ...made, metadata: seen, spec: { ...(made.spec as object), ...spec } } }
}

t.test('a foreign StatefulSet is named', t => {
  const found = part({ 'StatefulSet/demo': child('StatefulSet', 'demo', { ownerReferences: [] }) })
  t.strictSame(found.steps, [])
  t.match(found.stop, { why: 'failed', message: /^StatefulSet demo exists and does not belong to this DittoServer/ })
  t.end()
})

t.test('while claims may exist unseen, no other claim grows', t => {
  const names = (objects: Scene['objects']) => {
    const { steps, asks = [] } = part(objects)
    return steps.length > 0 ? told(steps) : asks.map(({ kind, name }) => `${kind} ${name}`)
  }
  const doubtful = { ...claims({ metadata: '512Mi' }), ...content, 'PersistentVolumeClaim/cache-demo-0': unlisted }
  t.strictSame(names(doubtful), ['PersistentVolumeClaim cache-demo-0'])
  t.strictSame(names({ ...doubtful, ...applied() }), ['PersistentVolumeClaim cache-demo-0'])
  const large = { ...claims(), ...content, 'PersistentVolumeClaim/cache-demo-0': unlisted }
  t.strictSame(names(large), ['create StatefulSet demo'])
  t.strictSame(part({ ...large, ...applied() }).asks, undefined, 'nothing has to grow')
  t.strictSame(part({ ...doubtful, ...applied() }).steps, [])
  t.end()
})

t.test('the time of a restart is sent back only to the version that it was read from', t => {
  const apply = (annotations: object) => {
    const { 'StatefulSet/demo': made } = applied()
    const { template } = made.spec as unknown as { template: { metadata: { annotations?: object } } }
    const { metadata } = template
    const restarted = { ...template, metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } } }
    const found = applied({ spec: { replicas: 3, template: restarted } })
    return part({ ...claims(), ...content, ...found }).steps.find(step => step.do === 'apply')
  }
  t.equal(apply({})?.resourceVersion, undefined)
  const step = apply({ [restartedAtAnnotation]: 'now' })
  t.equal(step?.resourceVersion, '3')
  t.match(step?.object.spec, { template: { metadata: { annotations: { [restartedAtAnnotation]: 'now' } } } })
  t.end()
})

t.test('a StatefulSet that is being deleted is waited for', t => {
  const found = part({ ...claims(), ...content, ...applied({ metadata: { deletionTimestamp: 'now', annotations: {} } }) })
  t.strictSame(found.steps, [])
  t.match(found.says?.([]), { reason: 'StorageReady' })
  t.strictSame(part({ ...claims(), ...content, ...applied({ metadata: { deletionTimestamp: 'now' }, spec: { serviceName: 'other' } }) }).steps, [])
  t.end()
})

t.test('an immutable field is changed by a new StatefulSet, but not while a claim must grow, and not if volumes cannot follow', t => {
  const edited = { serviceName: 'other' }
  t.strictSame(told(part({ ...claims(), ...content, ...applied({ spec: edited }) }).steps), ['rehearse StatefulSet demo', 'delete StatefulSet demo'])
  const [first, ...rest] = told(part({ ...claims({ metadata: '512Mi' }), ...content, ...applied({ spec: edited }) }).steps)
  t.equal(first, 'patch PersistentVolumeClaim metadata-demo-0')
  t.notOk(rest.some(step => step.startsWith('delete')))
  const smaller = { storage: { metadataSize: '512Mi' } }
  const drifted = part({ ...claims(), ...content, ...applied({ spec: edited }) }, { spec: smaller })
  t.notOk(told(drifted.steps).some(step => step.startsWith('delete')))
  t.match(drifted.says?.([]), { reason: 'StorageDrift' })
  t.end()
})

t.test('only the refusal of a claim counts as a refused expansion', t => {
  const { says } = part({ ...claims(), ...content, ...applied() })
  const step = (kind: Step['kind']): Step => ({ do: 'patch', kind, name: 'x', patch: {} })
  t.match(says?.([{ step: step('PersistentVolumeClaim'), outcome: 'refused', message: 'no' }]), { reason: 'ExpansionRefused' })
  t.match(says?.([{ step: step('DittoServer'), outcome: 'refused', message: 'no' }]), { reason: 'StorageReady' })
  t.match(says?.([{ step: step('PersistentVolumeClaim'), outcome: 'done', object: undefined }]), { reason: 'StorageReady' })
  t.end()
})
