import t from 'tap'
import type { KubernetesObject } from '../../../src/cluster/kubernetes-object.ts'
import { withoutSourceRanges } from '../../../src/controller/plan/service-type.ts'

const object = (spec: object, kind = 'Service'): KubernetesObject => ({ apiVersion: 'v1', kind, metadata: { name: 'demo-file' }, spec })

t.test('source ranges are removed with the load balancer, in one step', async t => {
  const balanced = object({ type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0/8'] })
  t.strictSame(withoutSourceRanges(object({ type: 'ClusterIP' }), balanced), { type: 'ClusterIP', loadBalancerSourceRanges: null })
  t.equal(withoutSourceRanges(object({ type: 'LoadBalancer' }), balanced), undefined, 'they are the user\'s')
  t.equal(withoutSourceRanges(object({ type: 'ClusterIP' }), object({ type: 'ClusterIP' })), undefined)
  t.equal(withoutSourceRanges(object({}, 'StatefulSet'), balanced), undefined)
})
