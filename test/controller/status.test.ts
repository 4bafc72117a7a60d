import t from 'tap'
import { occurrencesBetween } from '../../src/controller/events.ts'
import { statusOf, type Observed, type StatefulSetState } from '../../src/controller/status.ts'
import { readDittoServer, type DittoServer } from '../../src/dittoserver/dittoserver.ts'

const now = new Date('2026-01-02T03:04:05.678Z')
const serverOf = (spec: object = {}, status?: object): DittoServer => readDittoServer({
  metadata: { name: 'demo', namespace: 'files', uid: 'u', generation: 3 }, spec: { storage: { metadataSize: '1Gi' }, ...spec }, ...status ? { status } : {},
}).server
const fine: Observed = {
  config: { status: 'True', reason: 'ConfigValid', message: 'ok' }, storage: { status: 'True', reason: 'StorageReady', message: 'ok' },
}
const set = (change: Partial<StatefulSetState> = {}): StatefulSetState => ({
  generation: 2, observedGeneration: 2, readyReplicas: 1, availableReplicas: 1, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'a', ...change,
})
const of = (observed: Observed, server = serverOf()) => {
  const status = statusOf(server, observed, now)
  const conditions = Object.fromEntries((status.conditions ?? []).map(({ type, status: is, reason }) => [type, `${is} ${reason}`]))
  return { ...status, conditions }
}

t.test('nothing is there yet', async t => {
  t.match(of(fine), {
    phase: 'Pending',
    readyReplicas: 0,
    observedGeneration: 3,
    nfsEndpoint: 'demo-file.files.svc.cluster.local:12049',
    conditions: {
      Available: 'False NoReplicasAvailable', Progressing: 'True StatefulSetPending', Ready: 'False ConditionsNotMet', Reconciling: 'True StatefulSetPending',
    },
  })
})

t.test('all is well', async t => {
  const { phase, conditions } = of({ ...fine, statefulSet: set() })
  t.equal(phase, 'Running')
  t.strictSame(conditions, {
    ConfigReady: 'True ConfigValid',
    StorageReady: 'True StorageReady',
    Available: 'True MinimumReplicasAvailable',
    Progressing: 'False ReconcileComplete',
    Ready: 'True AllConditionsMet',
  })
})

t.test('stopped on purpose is ready', async t => {
  t.match(of({ ...fine, statefulSet: set({ readyReplicas: 0 }) }, serverOf({ replicas: 0 })), {
    phase: 'Stopped', conditions: { Available: 'True Stopped', Ready: 'True AllConditionsMet' },
  })
})

t.test('on the way', async t => {
  t.match(of({ ...fine, statefulSet: set({ observedGeneration: 1 }) }).conditions, { Progressing: 'True StatefulSetUpdating', Ready: /False/ })
  t.match(of({ ...fine, statefulSet: set({ updateRevision: 'b' }) }).conditions, { Progressing: 'True StatefulSetUpdating' })
  t.match(of({ ...fine, statefulSet: set({ readyReplicas: 0 }) }).conditions, { Progressing: 'True ScalingReplicas', Available: /False/ })
})

t.test('a failure of a pass leaves what is known', async t => {
  const { conditions, phase } = of({ ...fine, statefulSet: set(), failure: 'forbidden' })
  t.match(conditions, { Available: 'True MinimumReplicasAvailable', Progressing: 'True ReconcileFailed', Ready: 'False ConditionsNotMet' })
  t.equal(phase, 'Running', 'the server itself runs')
})

t.test('what only an edit can mend has stalled', async t => {
  const refused = { status: 'False' as const, reason: 'PortConflict', message: 'both' }
  t.match(of({ ...fine, config: refused, stalled: { ...refused, status: 'True' }, statefulSet: set() }), {
    phase: 'Failed', conditions: { ConfigReady: 'False PortConflict', Stalled: 'True PortConflict', Progressing: 'False PortConflict', Ready: /False/ },
  })
})

t.test('volumes that grow keep no server from being ready', async t => {
  const storage = { status: 'False' as const, reason: 'Expanding', message: 'later' }
  t.match(of({ ...fine, storage, statefulSet: set() }).conditions, { StorageReady: 'False Expanding', Ready: 'True AllConditionsMet' })
})

t.test('a database that is not ready does', async t => {
  const database = { status: 'False' as const, reason: 'PerconaNotReady', message: 'later' }
  t.match(of({ ...fine, database, statefulSet: set() }).conditions, { DatabaseReady: 'False PerconaNotReady', Ready: /False/ })
})

t.test('the time of a transition moves with the status alone', async t => {
  const before = statusOf(serverOf(), { ...fine, statefulSet: set() }, new Date('2020-01-01T00:00:00Z'))
  const after = statusOf(serverOf({}, before), { ...fine, statefulSet: set({ readyReplicas: 0 }) }, now)
  const times = Object.fromEntries((after.conditions ?? []).map(({ type, lastTransitionTime }) => [type, lastTransitionTime]))
  t.equal(times.ConfigReady, '2020-01-01T00:00:00Z')
  t.equal(times.Available, '2026-01-02T03:04:05Z')
})

t.test('the same observation gives the same status', async t => {
  const first = statusOf(serverOf(), { ...fine, statefulSet: set() }, now)
  t.strictSame(statusOf(serverOf({}, first), { ...fine, statefulSet: set() }, new Date()), first)
})

t.test('events tell of transitions, and of nothing else', async t => {
  const conditionsOf = (observed: Observed) => statusOf(serverOf(), observed, now).conditions ?? []
  const reasons = (before: Observed | undefined, after: Observed) =>
    occurrencesBetween(before ? conditionsOf(before) : [], conditionsOf(after)).map(({ type, reason }) => `${type} ${reason}`)
  const running = { ...fine, statefulSet: set() }
  t.strictSame(reasons(running, running), [])
  t.strictSame(reasons(undefined, fine), [], 'a beginning is no news beyond the creation')
  t.strictSame(reasons(fine, running), ['Normal Ready'])
  t.strictSame(reasons(running, { ...running, failure: 'forbidden' }), ['Warning ReconcileFailed'])
  t.strictSame(reasons({ ...running, failure: 'forbidden' }, { ...running, failure: 'forbidden, again' }), [], 'another message is not another event')
  const refused = { status: 'False' as const, reason: 'PortConflict', message: 'both' }
  const stalled = { ...running, config: refused, stalled: { ...refused, status: 'True' as const } }
  t.strictSame(reasons(running, stalled), ['Warning PortConflict'])
  t.strictSame(reasons(stalled, running), ['Normal ConfigValid', 'Normal Ready'])
  t.strictSame(reasons(running, { ...fine, statefulSet: set({ observedGeneration: 1 }) }), ['Normal StatefulSetUpdating'])
})
