import t from 'tap'
import { appliedDigest, withDigest } from '../../src/controller/applied-digest.ts'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'

const config: KubernetesObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'demo-config', annotations: { note: 'a' } }, data: { a: 'b' } }

t.test('the digest covers the whole rendered object', t => {
  const marked = withDigest(config)
  t.strictSame(marked, { ...config, metadata: { name: 'demo-config', annotations: { note: 'a', 'dittofs.dittofs.com/applied': appliedDigest(marked) } } })
  // If it changed, every object would be applied again after an upgrade.
  t.equal(appliedDigest(marked), '9f353fd6878f2e71cc380e7fa6abe398')
  t.not(appliedDigest(withDigest({ ...config, data: { a: 'c' } })), appliedDigest(marked))
  t.not(appliedDigest(withDigest({ ...config, metadata: { name: 'demo-config' } })), appliedDigest(marked))
  t.end()
})

t.test('an object that was never applied has no digest', t => {
  t.equal(appliedDigest(config), undefined)
  t.equal(appliedDigest({ ...config, metadata: { name: 'x' } }), undefined)
  t.end()
})
