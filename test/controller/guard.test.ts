import t from 'tap'
import { isSubset } from '../../src/controller/subset.ts'
import { refusalOf } from '../../src/controller/guard.ts'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'
import { databaseAnnotation } from '../../src/render/stateful-set.ts'
import { defaultPolicy, parsePolicy } from '../../src/rules/policy.ts'

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

t.test('what is fine passes', async t => {
  t.equal(refusal({}), undefined)
  t.equal(refusal({}, { database: 'sqlite' }), undefined)
  t.equal(refusal({ storage: { metadataSize: '1Gi', storageClassName: 'deleted-since' } }), undefined, 'what rests on the cluster is not asked again')
})

t.test('only a real collision of ports stops, whatever the weight of the rule', async t => {
  t.match(refusal({ metrics: { enabled: true, port: 8080 } }), /^config PortConflict: spec\.metrics\.port: 8080 /)
  t.match(refusal({ metrics: { enabled: true, port: 8080 } }, { policy: parsePolicy(['PORT-CONFLICT=off']) }), /^config PortConflict/)
  t.equal(refusal({ nfsPort: 8080 }), undefined, 'two Services may share a number')
  t.match(refusal({ nfsPort: 8080 }, { policy: parsePolicy(['PORT-CONFLICT=deny']) }), /^config SpecRefused: .*PORT-CONFLICT/)
})

t.test('what got in while the webhook was away', async t => {
  t.match(refusal({ replicas: 7 }), /^config SpecRefused: spec\.replicas: .*\[SCHEMA\]$/)
  t.match(refusal({ storage: { metadataSize: '0Gi' } }), /SIZE-ZERO/)
  t.match(refusal({ replicas: 7, nfsPort: 0 }), /spec\.nfsPort.*; spec\.replicas/, 'all of it')
})

t.test('a database is not left behind unawares', async t => {
  t.match(refusal({ percona: { enabled: true } }, { database: 'sqlite' }), /^database DatabaseChangeRefused: .*'sqlite'.*'percona'/)
  t.match(refusal({}, { database: 'percona' }), /^database DatabaseChangeRefused/)
  t.equal(refusal({}, { database: 'percona', annotations: { 'dittofs.dittofs.com/acknowledge': 'X, PG-DISABLE' } }), undefined)
  t.match(refusal({}, { database: 'external', annotations: { 'dittofs.dittofs.com/acknowledge': 'PG-DISABLE' } }), /Refused/, 'that one only')
})

t.test('what was applied is found in what the API server made of it', async t => {
  t.ok(isSubset({ a: [{ b: 1 }] }, { a: [{ b: 1, c: 2 }], d: 3 }))
  t.ok(isSubset({ storage: '1024Mi', cpu: '1000m', memory: '2.0Gi' }, { storage: '1Gi', cpu: '1', memory: '2Gi' }), 'quantities have many spellings')
  t.notOk(isSubset({ a: [1] }, { a: [1, 2] }), 'an entry more')
  t.notOk(isSubset({ a: { b: 1 } }, { a: [] }))
  t.notOk(isSubset({ a: '1Gi' }, { a: '1G' }))
  t.notOk(isSubset({ a: 'x' }, { a: 'y' }))
  t.notOk(isSubset({ a: false }, {}))
  t.notOk(isSubset({ a: '1' }, { a: 1 }))
})
