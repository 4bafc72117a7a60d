import t from 'tap'
import type { KubernetesObject } from '../../../src/cluster/kubernetes-object.ts'
import { keepData } from '../../../src/controller/plan/database-data.ts'

const cluster = (storage: string, databases: readonly string[], storageClassName?: string): KubernetesObject => ({
  apiVersion: 'pgv2.percona.com/v2',
  kind: 'PerconaPGCluster',
  metadata: { name: 'demo-postgres' },
  spec: {
    instances: [{
      name: 'instance1', replicas: 1, dataVolumeClaimSpec: { resources: { requests: { storage } }, ...(storageClassName ? { storageClassName } : {}) },
    }],
    users: [{ name: 'dittofs', databases }],
  },
})

t.test('fields that may change do change', async t => {
  const wanted = cluster('20Gi', ['dittofs'])
  t.strictSame(keepData(wanted, cluster('10Gi', ['dittofs'])), { object: wanted, kept: [] })
  t.strictSame(keepData(wanted, cluster('20480Mi', ['dittofs'])), { object: wanted, kept: [] })
  t.strictSame(keepData(wanted, { ...wanted, spec: {} }), { object: wanted, kept: [] }, 'where there is nothing to keep')
  t.strictSame(keepData({ ...wanted, spec: {} }, wanted), { object: { ...wanted, spec: {} }, kept: [] })
})

t.test('kept values do not change the order of fields', async t => {
  const wanted = cluster('20Gi', ['dittofs'], 'fast')
  const spec = { ...(wanted.spec as object), instances: [{ name: 'instance1', dataVolumeClaimSpec: { storageClassName: 'fast', resources: {} } }] }
  t.equal(JSON.stringify(keepData({ ...wanted, spec }, wanted).object), JSON.stringify({ ...wanted, spec }), 'or its digest would be another one')
})

t.test('each volume is compared with its own current size, if it has one', async t => {
  const live = cluster('20Gi', ['dittofs'])
  const other = { name: 'other', dataVolumeClaimSpec: { resources: { requests: { storage: '99Gi' } } } }
  const instances = (live.spec as { instances: object[] }).instances
  t.strictSame(keepData(live, { ...live, spec: { ...(live.spec as object), instances: [other, ...instances] } }).kept, [])
  for (const dataVolumeClaimSpec of [{}, { resources: {} }]) {
    t.strictSame(keepData(live, { ...live, spec: { instances: [{ name: 'instance1', dataVolumeClaimSpec }] } }), { object: live, kept: [] })
  }
})

t.test('fields that the data depends on are kept, and named', async t => {
  const live = cluster('20Gi', ['files'], 'fast')
  const { object, kept } = keepData(cluster('10Gi', ['dittofs']), live)
  t.strictSame(object, live)
  t.strictSame(kept, [
    'spec.instances[name=instance1].dataVolumeClaimSpec.resources.requests.storage',
    'spec.instances[name=instance1].dataVolumeClaimSpec.storageClassName',
    'spec.users[name=dittofs].databases',
  ])
  t.strictSame(keepData(cluster('10Gi', ['files'], 'fast'), cluster('10Gi', ['files'])).object, cluster('10Gi', ['files']))
})
