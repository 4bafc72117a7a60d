import t from 'tap'
import type { KubernetesObject } from '../../../src/cluster/kubernetes-object.ts'
import { asFarAsMutable, immutableDifferences } from '../../../src/controller/plan/immutable-fields.ts'

const object = (kind: string, rest: object): KubernetesObject => ({ apiVersion: 'v1', kind, metadata: { name: 'demo' }, ...rest })
const template = { metadata: { labels: { app: 'a', instance: 'demo', more: 'x' } }, spec: { containers: [] } }
const wanted = object('StatefulSet', {
  spec: { replicas: 1, serviceName: 'demo-headless', podManagementPolicy: 'Parallel', selector: { matchLabels: { app: 'a', instance: 'demo' } }, template },
})
const changed = (spec: object) => object('StatefulSet', { spec: { ...(wanted.spec as object), ...spec } })

t.test('StatefulSet: defaults of the API server and the order of keys are no difference', async t => {
  const live = changed({ revisionHistoryLimit: 10, replicas: 0, selector: { matchLabels: { instance: 'demo', app: 'a' } } })
  t.strictSame(immutableDifferences(live, wanted), [])
  t.strictSame(asFarAsMutable(live, wanted), wanted)
})

t.test('StatefulSet: each immutable field', async t => {
  for (const [field, value] of Object.entries({ serviceName: 'other', podManagementPolicy: 'OrderedReady', selector: { matchLabels: { app: 'a' } } })) {
    const live = changed({ [field]: value })
    t.strictSame(immutableDifferences(live, wanted), [`spec.${field}`])
    t.strictSame(asFarAsMutable(live, wanted), live)
  }
  t.strictSame(immutableDifferences(changed({}), object('StatefulSet', { spec: {} })), [], 'what is not rendered is none of our business')
})

t.test('StatefulSet: pods keep the labels by which they are selected', async t => {
  const { spec } = asFarAsMutable(changed({ selector: { matchLabels: { other: 'label' } } }), wanted) as unknown as { spec: { template: { metadata: object } } }
  t.strictSame(spec.template.metadata, { labels: { ...template.metadata.labels, other: 'label' } })
})

t.test('StatefulSet: an absent field is taken from the other object', async t => {
  const { podManagementPolicy: _, selector: __, ...rest } = wanted.spec as { podManagementPolicy: string, selector: object }
  t.strictSame(asFarAsMutable(object('StatefulSet', { spec: rest }), wanted), wanted)
  t.strictSame(asFarAsMutable(object('StatefulSet', {}), object('StatefulSet', {})).spec, {})
  const bare = changed({ template: { spec: {} } })
  t.strictSame(asFarAsMutable(wanted, bare).spec, { ...(bare.spec as object), template: { spec: {}, metadata: { labels: { app: 'a', instance: 'demo' } } } })
})

t.test('Service: with or without an address', async t => {
  const service = (spec: object) => object('Service', { spec })
  const [headless, addressed, foreign] = [service({ clusterIP: 'None' }), service({ clusterIP: '10.0.0.1' }), service({ type: 'ExternalName' })]
  const plain = service({ type: 'ClusterIP' })
  t.strictSame(immutableDifferences(addressed, headless), ['spec.clusterIP'])
  t.strictSame(immutableDifferences(headless, plain), ['spec.clusterIP'])
  t.strictSame(immutableDifferences(headless, headless), [])
  t.strictSame(immutableDifferences(addressed, plain), [])
  t.strictSame(immutableDifferences(foreign, headless), [])
  t.strictSame(immutableDifferences(foreign, plain), [])
})

t.test('ConfigMap and Secret: immutable objects, and the type', async t => {
  const [data, other] = [{ data: { a: '1' } }, { data: { a: '2' } }]
  for (const kind of ['ConfigMap', 'Secret']) {
    t.strictSame(immutableDifferences(object(kind, { ...data, immutable: true }), object(kind, other)), ['data'])
    t.strictSame(immutableDifferences(object(kind, { ...data, immutable: true }), object(kind, data)), [], 'as it should be')
    t.strictSame(immutableDifferences(object(kind, { ...data, immutable: false }), object(kind, other)), [])
    t.strictSame(immutableDifferences(object(kind, data), object(kind, other)), [])
  }
  t.strictSame(immutableDifferences(object('Secret', { ...data, type: 'example.com/other' }), object('Secret', { ...data, type: 'Opaque' })), ['type'])
  t.strictSame(immutableDifferences(object('Secret', { ...data, type: 'Opaque' }), object('Secret', data)), [])
})

t.test('a PostgreSQL cluster is never replaced', async t => {
  t.strictSame(immutableDifferences(object('PerconaPGCluster', { spec: { postgresVersion: 16 } }), object('PerconaPGCluster', { spec: { postgresVersion: 17 } })), [])
})
