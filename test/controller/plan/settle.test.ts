import t from 'tap'
import { withDigest } from '../../../src/controller/applied-digest.ts'
import type { KubernetesObject } from '../../../src/cluster/kubernetes-object.ts'
import { remove, settle, update } from '../../../src/controller/plan/settle.ts'
import { child, observation, told, type Scene } from '../observation.ts'

const { uid: _, resourceVersion: __, ...metadata } = child('Secret', 'x').metadata
const secret: KubernetesObject = { apiVersion: 'v1', kind: 'Secret', metadata, data: { a: 'b' } }
const service = (spec: object): KubernetesObject => child('Service', 'x', {}, { spec })
const found = (object: Scene['objects']) => observation(object === undefined ? {} : { objects: object })

t.test('the steps for each state of an object', t => {
  const steps = (known: NonNullable<Scene['objects']>[string]) => settle(found({ 'Secret/x': known }), 'Secret', secret)
  t.strictSame(steps({ state: 'absent' }), { steps: [{ do: 'create', kind: 'Secret', name: 'x', object: withDigest(secret) }] })
  t.strictSame(steps({ state: 'unknown', reason: 'away' }), { steps: [], unknown: 'Secret x cannot be read: away' })
  t.strictSame(steps(child('Secret', 'x', { ownerReferences: [] })), { steps: [], foreign: { kind: 'Secret', name: 'x' } })
  t.strictSame(told(steps(child('Secret', 'x')).steps), ['apply Secret x'])
  t.end()
})

t.test('the digest of a Secret decides, because only its metadata is known', t => {
  const { data: _, ...seen } = withDigest(secret)
  const current = (change: object = {}) => ({ ...seen, metadata: { ...seen.metadata, uid: 'u', resourceVersion: '3', ...change } }) as KubernetesObject
  t.strictSame(update('Secret', withDigest(secret), current()), [])
  t.strictSame(told(update('Secret', withDigest(secret), current({ annotations: {} }))), ['apply Secret x'])
  t.strictSame(update('Secret', withDigest(secret), current({ annotations: {}, deletionTimestamp: 'now' })), [], 'on its way out')
  t.end()
})

t.test('a load balancer is never open to everyone while its type changes', t => {
  const change = (spec: object) => {
    const [step] = update('Service', withDigest(service({ type: 'ClusterIP', ports: [{ name: 'a', port: 1 }] })), service(spec))
    return step?.do === 'patch' ? (step.patch as { spec: object }).spec : step?.do
  }
  const ranges = { type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0/8'] }
  const closed = { type: 'ClusterIP', loadBalancerSourceRanges: null }
  t.strictSame(change({ ...ranges, ports: [{ name: 'a', port: 1 }] }), closed)
  t.strictSame(change({ ...ranges, ports: [{ name: 'b', port: 2 }] }), { ...closed, ports: [{ name: 'a', port: 1 }] })
  t.equal(change({ ports: [{ name: 'a', port: 1 }] }), 'apply')
  t.end()
})

t.test('an object that is no longer rendered is deleted once, if it is ours', t => {
  const removed = (metadata: object) => told(remove(found({ 'Service/x': child('Service', 'x', metadata) }), 'Service', 'x'))
  t.strictSame(removed({}), ['delete Service x'])
  t.strictSame(removed({ deletionTimestamp: 'now' }), [])
  t.strictSame(removed({ ownerReferences: [] }), [])
  t.strictSame(remove(found({ 'Service/x': { state: 'unlisted' } }), 'Service', 'x'), [])
  t.end()
})
