import t from 'tap'
import { plan, type Plan } from '../../src/controller/plan/plan.ts'
import { findingsOf } from '../../src/controller/report.ts'
import type { StepResult } from '../../src/controller/step.ts'
import { withKnown } from '../../src/controller/observed.ts'
import { configHashAnnotation } from '../../src/render/stateful-set.ts'
import { ApiError } from '../../src/cluster/api-error.ts'
import { statusOf, type Observation } from '../../src/controller/status.ts'
import { defaultPolicy } from '../../src/rules/policy.ts'
import { child, observation, type Scene } from './observation.ts'

// The findings of a pass, from its observation and the results of its steps.

const statefulSet = (metadata: object = {}) => child('StatefulSet', 'demo', metadata, {
  spec: { template: { metadata: { annotations: { [configHashAnnotation]: 'a hash' } } } }, status: { observedGeneration: 1, readyReplicas: 1 },
})
const says = (status: Observation['status']): Observation => ({ status, reason: 'Reason', message: 'Message.' })
const nothing: Plan = { parts: [], steps: [], asks: [], stop: undefined }
const findings = (scene: Scene, planned: Plan = nothing, results: readonly StepResult[] = []) =>
  findingsOf(observation(scene), planned, results)

t.test('replicas are counted from the StatefulSet of the server, not from a foreign one with the same name', async t => {
  t.match(findings({ objects: { 'StatefulSet/demo': statefulSet() } }), { statefulSet: { readyReplicas: 1 } })
  t.equal(findings({ objects: { 'StatefulSet/demo': statefulSet({ ownerReferences: [] }) } }).statefulSet, undefined)
})

t.test('a StatefulSet that is deleted around its pod does not count as updating, although its generation changed', async t => {
  const pod = { 'Pod/demo-0': child('Pod', 'demo-0', {}, { status: { conditions: [{ type: 'Ready', status: 'True' }] } }) }
  const going = { 'StatefulSet/demo': statefulSet({ generation: 2, deletionTimestamp: '2026-01-01T00:00:00Z' }), ...pod }
  const found = findings({ objects: going })
  t.equal(found.statefulSet, undefined)
  t.equal(found.isPodReady, true)
  const { conditions = [] } = statusOf(observation({ objects: going }).server, { ...found, config: says('True') }, new Date())
  t.match(conditions.find(({ type }) => type === 'Progressing'), { reason: 'StatefulSetReplacing' })
  t.match(conditions.find(({ type }) => type === 'Ready'), { status: 'True' })
})

t.test('the hash is kept when the StatefulSet was just deleted', async t => {
  const scene = { objects: { 'StatefulSet/demo': statefulSet() } }
  const unchanged = { ...observation(scene), secrets: { state: 'unchanged' } as const }
  t.match(findingsOf(unchanged, nothing, []), { configHash: 'a hash' })
  const gone = withKnown(unchanged, [[{ kind: 'StatefulSet', name: 'demo' }, { state: 'absent' }]])
  t.notOk('configHash' in findingsOf(gone, nothing, []), 'the last one stands')
})

t.test('a failed step does not change the conditions of later steps', async t => {
  const step = { do: 'delete', kind: 'Service', name: 'demo-metrics', uid: 'u', propagation: 'Background' } as const
  const planned: Plan = {
    ...nothing,
    parts: [
      { condition: 'ConfigReady', says: () => says('True'), steps: [] },
      { condition: 'DatabaseReady', says: () => says('True'), steps: [step] },
      { condition: 'StorageReady', says: () => says('True'), steps: [] },
    ],
  }
  const failed = findings({ spec: { percona: { enabled: true } } }, planned, [{ step, outcome: 'failed', error: new ApiError(403, { message: 'no' }) }])
  t.match(failed, { config: says('True'), database: 'kept', storage: 'kept', failure: 'no' })
  t.notOk('configHash' in failed)
  const done = findings({ spec: { percona: { enabled: true } } }, planned, [{ step, outcome: 'done', object: undefined }])
  t.match(done, { config: says('True'), database: says('True'), storage: says('True'), perconaClusterName: 'demo-postgres' })
  t.equal(done.failure, undefined)
})

t.test('an error that is not from the API server has a short message', async t => {
  const step = { do: 'delete', kind: 'Service', name: 'demo-metrics', uid: 'u', propagation: 'Background' } as const
  const { failure } = findings({}, { ...nothing, parts: [{ steps: [step] }] }, [{ step, outcome: 'failed', error: new Error('boom') }])
  t.equal(failure, 'internal error')
})

t.test('a refused spec is stalled, and does not report a database that never existed', async t => {
  const refused = { spec: { metrics: { enabled: true, port: 8080 } } }
  const found = findings(refused, plan(observation(refused), defaultPolicy))
  t.match(found, { stalled: { status: 'True', reason: 'PortConflict' }, config: { status: 'False' } })
  t.notOk('configHash' in found)
  t.notOk('database' in found)
  const known = { ...refused, status: { conditions: [{ type: 'DatabaseReady', status: 'True' }] } }
  t.match(findings(known, plan(observation(known), defaultPolicy)), { database: 'kept' })
})

t.test('the database of a foreign StatefulSet with the same name does not matter', async t => {
  const annotations = { 'dittofs.dittofs.com/database': 'percona' }
  const foreign = { objects: { 'StatefulSet/demo': statefulSet({ ownerReferences: [], annotations }) } }
  t.equal(findings(foreign, plan(observation(foreign), defaultPolicy)).stalled, undefined)
  const ours = { objects: { 'StatefulSet/demo': statefulSet({ annotations: { 'dittofs.dittofs.com/database': 'external' } }) } }
  t.match(findings(ours, plan(observation(ours), defaultPolicy)), { stalled: { reason: 'DatabaseChangeRefused' } })
})

t.test('a plan that cannot continue gives the reason', async t => {
  t.match(findings({}, { ...nothing, stop: { why: 'failed', message: 'cannot be looked at' } }), { failure: 'cannot be looked at' })
})
