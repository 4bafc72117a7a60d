import t from 'tap'
import { refusalOf } from '../../../src/controller/plan/refusal.ts'
import type { KubernetesObject } from '../../../src/cluster/kubernetes-object.ts'
import { readDittoServer } from '../../../src/dittoserver/dittoserver.ts'
import { databaseAnnotation } from '../../../src/render/stateful-set.ts'
import { defaultPolicy, parsePolicy } from '../../../src/rules/policy.ts'

const refusal = (spec: object, { annotations = {}, database, policy = defaultPolicy }: {
  annotations?: Record<string, string>, database?: string, policy?: typeof defaultPolicy
} = {}) => {
  const object = {
    apiVersion: 'dittofs.dittofs.com/v1alpha1',
    kind: 'DittoServer',
    metadata: { name: 'demo', namespace: 'files', annotations },
    spec: { storage: { metadataSize: '1Gi' }, ...spec },
  }
  const statefulSet = database === undefined
    ? undefined
    : { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'demo', annotations: { [databaseAnnotation]: database } } } as KubernetesObject
  const found = refusalOf(object, readDittoServer(object).server, policy, statefulSet)
  return found && `${found.condition} ${found.observation.reason}: ${found.observation.message}`
}

t.test('a valid spec passes', async t => {
  t.equal(refusal({}), undefined)
  t.equal(refusal({}, { database: 'sqlite' }), undefined)
  t.equal(refusal({ storage: { metadataSize: '1Gi', storageClassName: 'deleted-since' } }), undefined, 'what rests on the cluster is not asked again')
})

t.test('only a real port conflict stops a pass, whatever the severity of the rule', async t => {
  t.match(refusal({ metrics: { enabled: true, port: 8080 } }), /^ConfigReady PortConflict: spec\.metrics\.port: 8080 /)
  t.match(refusal({ metrics: { enabled: true, port: 8080 } }, { policy: parsePolicy(['PORT-CONFLICT=off']) }), /^ConfigReady PortConflict/)
  t.equal(refusal({ nfsPort: 8080 }), undefined, 'two Services may share a number')
  t.match(refusal({ nfsPort: 8080 }, { policy: parsePolicy(['PORT-CONFLICT=deny']) }), /^ConfigReady SpecRefused: .*PORT-CONFLICT/)
})

t.test('a spec that was stored while the webhook was unavailable', async t => {
  t.match(refusal({ replicas: 7 }), /^ConfigReady SpecRefused: spec\.replicas: .*\[SCHEMA\]$/)
  t.match(refusal({ storage: { metadataSize: '0Gi' } }), /SIZE-ZERO/)
  t.match(refusal({ replicas: 7, nfsPort: 0 }), /spec\.nfsPort.*; spec\.replicas/, 'all of it')
})

t.test('a change of the database needs an acknowledgement', async t => {
  t.match(refusal({ percona: { enabled: true } }, { database: 'sqlite' }), /^DatabaseReady DatabaseChangeRefused: .*'sqlite'.*'percona'/)
  t.match(refusal({}, { database: 'percona' }), /^DatabaseReady DatabaseChangeRefused/)
  t.equal(refusal({}, { database: 'percona', annotations: { 'dittofs.dittofs.com/acknowledge': 'X, PG-DISABLE' } }), undefined)
  t.match(refusal({}, { database: 'external', annotations: { 'dittofs.dittofs.com/acknowledge': 'PG-DISABLE' } }), /Refused/, 'that one only')
})
