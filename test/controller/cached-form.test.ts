import t from 'tap'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { cachedForm } from '../../src/controller/cached-form.ts'
import { withoutManagedFields } from '../../src/cluster/kubernetes-object.ts'
import { child } from './observation.ts'

const entry = { manager: 'dittofs-operator', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:data': {} } }
const asCached = { manager: 'dittofs-operator', operation: 'Update' }
const managedFields = [entry, { ...entry, manager: 'kubectl', operation: 'Apply' }]

/** The metadata of a Secret as sent by the API server. */
const secret = (metadata: object): KubernetesObject =>
  ({ apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata', metadata: { name: 's3', namespace: 'files', uid: 'u', resourceVersion: '4', ...metadata } })

t.test('a Secret of another application: only its existence', t => {
  const identity = { name: 's3', namespace: 'files', uid: 'u', resourceVersion: '4' }
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x' }]
  const others = { labels: { a: 'b' }, annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'all its values' }, finalizers: ['x'], managedFields, ownerReferences }
  t.strictSame(cachedForm('Secret', secret(others)), { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata', metadata: identity })
  t.strictSame(cachedForm('Secret', secret({})).metadata, identity)
  t.strictSame(cachedForm('Secret', secret({ deletionTimestamp: 'now' })).metadata, { ...identity, deletionTimestamp: 'now' })
  t.strictSame(cachedForm('Secret', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's3' } }).metadata, { name: 's3' }, 'what it has not is left out')
  t.end()
})

t.test('a Secret of a server: our annotations and the owner', t => {
  const { ownerReferences } = child('Secret', 'demo-jwt-secret').metadata
  const mine = { 'dittofs.dittofs.com/applied': 'digest' }
  const form = cachedForm('Secret', secret({ ownerReferences, managedFields, annotations: { ...mine, 'dittofs.dittofs.com.example/applied': 'x', note: 'y' } }))
  t.strictSame(form.metadata, { ...secret({}).metadata, annotations: mine, ownerReferences, managedFields: [asCached] })
  t.strictSame(cachedForm('Secret', secret({ ownerReferences })).metadata, { ...secret({}).metadata, ownerReferences })
  const both = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x' }, ...ownerReferences ?? []]
  t.strictSame(cachedForm('Secret', secret({ ownerReferences: both })).metadata.ownerReferences, both, 'each owner')
  t.end()
})

t.test('other objects: everything except the managed fields', t => {
  const config = child('ConfigMap', 'demo-config', { managedFields }, { data: { a: 'b' } })
  t.strictSame(cachedForm('ConfigMap', config), { ...config, metadata: { ...config.metadata, managedFields: [asCached] } })
  const cluster = child('PerconaPGCluster', 'demo-pg', { managedFields }, { spec: {} })
  t.equal(cachedForm('PerconaPGCluster', cluster), cluster, 'whose fields decide what is left to others')
  const pod = child('Pod', 'demo-0', { managedFields }, { spec: { nodeName: 'n' }, status: { phase: 'Running', hostIP: '10.0.0.1' } })
  t.match(cachedForm('Pod', pod), { metadata: withoutManagedFields(pod).metadata, status: { phase: 'Running' } })
  t.equal(cachedForm('Pod', pod).spec, undefined)
  t.end()
})
