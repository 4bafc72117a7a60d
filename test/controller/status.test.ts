import t from 'tap'
import { occurrencesBetween } from '../../src/controller/events.ts'
import { statusOf, type Findings, type StatefulSetState } from '../../src/controller/status.ts'
import { readDittoServer, type DittoServer } from '../../src/dittoserver/dittoserver.ts'

const now = new Date('2026-01-02T03:04:05.678Z')
const serverOf = (spec: object = {}, status?: object): DittoServer => readDittoServer({
  metadata: { name: 'demo', namespace: 'files', uid: 'u', generation: 3 }, spec: { storage: { metadataSize: '1Gi' }, ...spec }, ...status ? { status } : {},
}).server
const fine: Findings = {
  config: { status: 'True', reason: 'ConfigValid', message: 'ok' }, storage: { status: 'True', reason: 'StorageReady', message: 'ok' },
}
const set = (change: Partial<StatefulSetState> = {}): StatefulSetState => ({
  generation: 2, observedGeneration: 2, readyReplicas: 1, availableReplicas: 1, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'a', ...change,
})
const of = (observed: Findings, server = serverOf()) => {
  const status = statusOf(server, observed, now)
  const conditions = Object.fromEntries((status.conditions ?? []).map(({ type, status: is, reason }) => [type, `${is} ${reason}`]))
  return { ...status, conditions }
}

t.test('no object exists yet', async t => {
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

t.test('the database in use', async t => {
  const { database } = statusOf(serverOf(), fine, now)
  t.equal(database, 'sqlite')
  const stalled = { status: 'True' as const, reason: 'DatabaseChangeRefused', message: 'no' }
  const before = { ...serverOf({ percona: { enabled: true } }), status: { database: 'sqlite' as const } }
  t.equal(statusOf(before, { ...fine, stalled }, now).database, 'sqlite', 'a refused change has no effect')
  t.equal(statusOf(before, fine, now).database, 'percona')
})

t.test('everything is healthy', async t => {
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

t.test('a deliberately stopped server is ready', async t => {
  t.match(of({ ...fine, statefulSet: set({ readyReplicas: 0 }) }, serverOf({ replicas: 0 })), {
    phase: 'Stopped', conditions: { Available: 'True Stopped', Ready: 'True AllConditionsMet' },
  })
})

t.test('in progress', async t => {
  t.match(of({ ...fine, statefulSet: set({ observedGeneration: 1 }) }).conditions, { Progressing: 'True StatefulSetUpdating', Ready: /False/ })
  t.match(of({ ...fine, statefulSet: set({ updateRevision: 'b' }) }).conditions, { Progressing: 'True StatefulSetUpdating' })
  t.match(of({ ...fine, statefulSet: set({ readyReplicas: 0 }) }).conditions, { Progressing: 'True ScalingReplicas', Available: /False/ })
})

t.test('a failed pass keeps the known state', async t => {
  const before = statusOf(serverOf(), { ...fine, statefulSet: set() }, now)
  const failed: Findings = { config: 'kept', storage: 'kept', statefulSet: set(), failure: 'forbidden' }
  const { conditions, phase } = of(failed, serverOf({}, before))
  t.match(conditions, { ConfigReady: 'True ConfigValid', StorageReady: 'True StorageReady', Progressing: 'True ReconcileFailed' })
  t.match(conditions, { Available: 'True MinimumReplicasAvailable', Ready: 'True AllConditionsMet' }, 'a server that runs as its spec says is ready')
  t.equal(phase, 'Running')
})

t.test('a spec that a failed pass has not carried out is not ready', async t => {
  const before = statusOf(serverOf(), { ...fine, statefulSet: set() }, now)
  const server = serverOf({}, before)
  const edited = { ...server, metadata: { ...server.metadata, generation: 4 } }
  const failed: Findings = { config: 'kept', storage: 'kept', statefulSet: set(), failure: 'forbidden' }
  t.match(of(failed, edited).conditions, { ConfigReady: 'True ConfigValid', Ready: 'False ConditionsNotMet' })
})

t.test('conditions that a pass did not reach are kept, with the time of the last check', async t => {
  const before = statusOf(serverOf(), { ...fine, statefulSet: set() }, new Date('2020-01-01T00:00:00Z'))
  const kept: Findings = { config: 'kept', storage: 'kept', statefulSet: set(), failure: 'forbidden' }
  const first = statusOf(serverOf({}, before), kept, now)
  t.match(first.conditions?.[0], { type: 'ConfigReady', message: 'ok Not checked since 2026-01-02T03:04:05Z.', lastTransitionTime: '2020-01-01T00:00:00Z' })
  t.strictSame(statusOf(serverOf({}, first), kept, new Date()), first, 'which does not move with the next failure')
  t.match(of(kept).conditions, { ConfigReady: 'Unknown Pending', StorageReady: 'Unknown Pending' }, 'nothing was known')
})

t.test('a refusal keeps the hash, the cluster and the known state', async t => {
  const database = { status: 'True' as const, reason: 'PerconaReady', message: 'ok' }
  const percona = { percona: { enabled: true } }
  const before = statusOf(serverOf(percona), { ...fine, database, statefulSet: set(), configHash: 'abc', perconaClusterName: 'demo-postgres' }, now)
  const refused = { status: 'False' as const, reason: 'PortConflict', message: 'both' }
  const after = of({ config: refused, database: 'kept', storage: 'kept', statefulSet: set(), stalled: { ...refused, status: 'True' } }, serverOf(percona, before))
  t.match(after, { configHash: 'abc', perconaClusterName: 'demo-postgres' })
  t.match(after.conditions, { DatabaseReady: 'True PerconaReady', StorageReady: 'True StorageReady', Available: 'True MinimumReplicasAvailable' })
})

t.test('a server keeps running while its StatefulSet is recreated', async t => {
  const expanding = { status: 'True' as const, reason: 'Expanding', message: 'later' }
  const running = { Available: 'True MinimumReplicasAvailable', Ready: 'True AllConditionsMet' }
  t.match(of({ ...fine, storage: expanding, isPodReady: true }), { phase: 'Running', readyReplicas: 1, conditions: { ...running, Progressing: 'True StatefulSetReplacing' } })
  const made = set({ observedGeneration: 0, readyReplicas: 0, currentRevision: '', updateRevision: '' })
  t.match(of({ ...fine, storage: expanding, statefulSet: made, isPodReady: true }), { phase: 'Running', conditions: { ...running, Progressing: 'True StatefulSetReplacing' } })
  const uncounted = set({ readyReplicas: 0, availableReplicas: 0, updatedReplicas: 0 })
  t.match(of({ ...fine, statefulSet: uncounted, isPodReady: true }), { readyReplicas: 1, availableReplicas: 1, conditions: { ...running, Progressing: 'True StatefulSetReplacing' } }, 'the first count of a new one')
  t.match(of({ ...fine, statefulSet: set({ updatedReplicas: 0 }), isPodReady: true }).conditions, { Progressing: 'True StatefulSetUpdating' }, 'a pod of before')
  t.match(of({ ...fine, isPodReady: false }).conditions, { Available: /False/, Progressing: 'True StatefulSetPending' })
})

t.test('the state of the pod explains why the server is not available', async t => {
  const pod = { reason: 'ErrImagePull', message: "pod demo-0: image 'x' cannot be pulled." }
  t.match(of({ ...fine, statefulSet: set({ readyReplicas: 0 }), pod }).conditions, { Available: 'False ErrImagePull' })
  t.match(of({ ...fine, statefulSet: set(), pod }).conditions, { Available: 'True MinimumReplicasAvailable' }, 'unless it is')
})

t.test('a state that only a change of the spec can fix is stalled', async t => {
  const refused = { status: 'False' as const, reason: 'PortConflict', message: 'both' }
  t.match(of({ ...fine, config: refused, stalled: { ...refused, status: 'True' }, statefulSet: set() }), {
    phase: 'Failed', conditions: { ConfigReady: 'False PortConflict', Stalled: 'True PortConflict', Progressing: 'False PortConflict', Ready: /False/ },
  })
})

t.test('a server with growing volumes is ready', async t => {
  const storage = { status: 'True' as const, reason: 'Expanding', message: 'later' }
  t.match(of({ ...fine, storage, statefulSet: set() }).conditions, { StorageReady: 'True Expanding', Progressing: 'True Expanding', Ready: 'True AllConditionsMet' })
})

t.test('a server with an unready database is not ready', async t => {
  const database = { status: 'False' as const, reason: 'PerconaNotReady', message: 'later' }
  t.match(of({ ...fine, database, statefulSet: set() }).conditions, { DatabaseReady: 'False PerconaNotReady', Ready: /False/ })
})

t.test('the transition time changes only with the status', async t => {
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

t.test('events report transitions only', async t => {
  const conditionsOf = (observed: Findings) => statusOf(serverOf(), observed, now).conditions ?? []
  const reasons = (before: Findings | undefined, after: Findings) =>
    occurrencesBetween(before ? conditionsOf(before) : [], conditionsOf(after)).map(({ type, reason }) => `${type} ${reason}`)
  const running = { ...fine, statefulSet: set() }
  t.strictSame(reasons(running, running), [])
  t.strictSame(reasons(undefined, fine), ['Normal Created'], 'a beginning is no other news')
  t.strictSame(reasons(fine, running), ['Normal Ready'])
  t.strictSame(reasons(running, { ...running, failure: 'forbidden' }), ['Warning ReconcileFailed'])
  t.strictSame(reasons({ ...running, failure: 'forbidden' }, { ...running, failure: 'forbidden, again' }), [], 'another message is not another event')
  const refused = { status: 'False' as const, reason: 'PortConflict', message: 'both' }
  const stalled = { ...running, config: refused, stalled: { ...refused, status: 'True' as const } }
  t.strictSame(reasons(running, stalled), ['Warning PortConflict'])
  t.strictSame(reasons(stalled, running), ['Normal ConfigValid', 'Normal Ready'])
  t.strictSame(reasons(running, { ...fine, statefulSet: set({ observedGeneration: 1 }) }), ['Normal StatefulSetUpdating'])
})
