import t from 'tap'
import { isReplaceable, replaceStatefulSet } from '../../../src/controller/plan/replacement.ts'
import { labels } from '../../../src/render/names.ts'
import { child, observation, told, type Scene } from '../observation.ts'

const set = (spec: object, rest: object = {}, metadata: object = {}) => child('StatefulSet', 'demo', metadata, { spec, ...rest })
const selector = { matchLabels: { app: 'a' } }
const wanted = set({ selector })
const steps = (current = set({ selector }), objects: Scene['objects'] = {}) => told(replaceStatefulSet(observation({ objects }), wanted, current))
const replaced = ['rehearse StatefulSet demo', 'delete StatefulSet demo']

t.test('objects with data or a pod are never replaced within a pass', t => {
  const kinds = ['Service', 'ConfigMap', 'Secret', 'StatefulSet', 'PersistentVolumeClaim', 'PerconaPGCluster', 'DittoServer'] as const
  t.strictSame(kinds.filter(isReplaceable), ['Service', 'ConfigMap', 'Secret'])
  t.end()
})

t.test('a StatefulSet is recreated around its claims, unless they would be deleted with it', t => {
  const claim = (metadata: object) => ({ 'PersistentVolumeClaim/metadata-demo-0': child('PersistentVolumeClaim', 'metadata-demo-0', metadata) })
  t.strictSame(steps(), replaced)
  t.strictSame(steps(undefined, claim({ ownerReferences: undefined })), replaced)
  t.strictSame(steps(undefined, claim({})), replaced, 'another owner')
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'demo', uid: 'StatefulSet-demo' }
  t.strictSame(steps(undefined, claim({ ownerReferences: [owner] })), [], 'until the owner is taken off')
  t.end()
})

t.test('a StatefulSet without our labels gets them first, so that its deletion is noticed', t => {
  const planned = replaceStatefulSet(observation({}), wanted, set({ selector }, {}, { labels: {} }))
  t.match(planned, [{ do: 'patch', patch: { metadata: { labels: labels('demo'), uid: 'StatefulSet-demo', resourceVersion: '3' } } }])
  t.equal(planned.length, 1, 'a later pass deletes it')
  t.end()
})

t.test('only the version that was read is deleted', t => {
  const remove = replaceStatefulSet(observation({}), wanted, set({ selector }, {}, { resourceVersion: '7' })).find(step => step.do === 'delete')
  t.match(remove, { uid: 'StatefulSet-demo', resourceVersion: '7', propagation: 'Orphan' })
  t.end()
})

t.test('a pod that the new StatefulSet would not select is stopped first', t => {
  const other = (spec: object, rest: object = {}, generation = 2) => steps(set({ selector: { matchLabels: { app: 'b' } }, ...spec }, rest, { generation }))
  t.strictSame(other({}), ['patch StatefulSet demo'])
  t.strictSame(other({ replicas: 0 }, { status: { replicas: 1, observedGeneration: 2 } }), [])
  t.strictSame(other({ replicas: 0 }, { status: { replicas: 0, observedGeneration: 1 } }), [], 'what is counted is from before')
  t.strictSame(other({ replicas: 0 }, {}), [])
  t.strictSame(other({ replicas: 0 }, { status: { replicas: 0, observedGeneration: 2 } }), replaced)
  t.strictSame(steps(set({}), { 'Pod/demo-0': child('Pod', 'demo-0', { labels: { app: 'a' } }) }), replaced, 'its labels are those that the new one looks for')
  t.strictSame(told(replaceStatefulSet(observation({}), set({}), set({ selector }))), replaced, 'a selector that says nothing')
  t.end()
})
