import t from 'tap'
import { child } from '../controller/observation.ts'
import { exitCodeOf, serverTree, worstFirst } from '../../src/status/server-tree.ts'
import type { Branch } from '../../src/status/tree.ts'
import { claim, condition, containerOf, except, facts, healthy, pod, readyPod, statefulSet, statusOf } from './scene.ts'

const spec = { storage: { metadataSize: '10Gi', cacheSize: '5Gi', controlPlaneSize: '1Gi' } }
const claims = [claim('metadata', '10Gi'), claim('cache', '5Gi'), claim('controlplane', '1Gi')]
const flat = (branches: readonly Branch[]): Branch[] => branches.flatMap(branch => [branch, ...flat(branch.branches ?? [])])
const find = (tree: { branches: readonly Branch[] }, kind: string, name: string) =>
  flat(tree.branches).find(branch => branch.kind === kind && branch.name === name)

t.test('a server that is ready', async t => {
  const tree = serverTree(facts({ spec, status: statusOf(healthy) }, [statefulSet(1), readyPod, ...claims]))
  t.match(tree, { ready: true, state: 'ok', phase: 'Running', age: '10m', concerns: [], stages: [] })
  t.match(find(tree, 'Pod', 'demo-0'), { state: 'ok', detail: 'ready, on node-1, 5m' })
  t.match(find(tree, 'Container', 'dittofs'), { state: 'ok', detail: 'ready, for 3m, example.com/dittofs:1' })
  t.match(find(tree, 'PersistentVolumeClaim', 'metadata-demo-0'), { state: 'ok', detail: 'Bound, 10Gi', facts: { requested: '10Gi', capacity: '10Gi' } })
  t.equal(exitCodeOf([tree]), 0)
  t.equal(exitCodeOf([]), 0)
})

t.test('a condition of an earlier generation does not make it ready', async t => {
  const scene = { spec, metadata: { generation: 2 }, status: statusOf(healthy) }
  const tree = serverTree(facts(scene, [statefulSet(1), readyPod, ...claims]))
  t.match(tree, { ready: false, state: 'progress', concerns: [{ state: 'progress', subject: 'Generation' }] })
  const status = statusOf(healthy, { observedGeneration: 2 })
  const claimed = serverTree(facts({ ...scene, status }, [statefulSet(1), readyPod, ...claims]))
  t.equal(claimed.ready, false, 'the condition itself is of generation 1')
  t.equal(exitCodeOf([tree]), 1)
})

t.test('what is wrong comes first, and each message once', async t => {
  const message = "pod demo-0: image 'x' cannot be pulled: not found. Correct spec.image."
  const status = statusOf(except(
    condition('Progressing', 'True', 'ScalingReplicas'), condition('Available', 'False', 'ErrImagePull', { message }),
    condition('Ready', 'False', 'ConditionsNotMet', { message: `NotAvailable. ${message}` }),
  ), { phase: 'Pending' })
  const waiting = pod({ phase: 'Pending', containerStatuses: [containerOf({ waiting: { reason: 'ErrImagePull', message: 'not found' } })] })
  const tree = serverTree(facts({ spec, status }, [statefulSet(0), waiting, ...claims]))
  t.equal(tree.state, 'wrong')
  t.strictSame(tree.concerns.map(({ state, subject }) => `${state} ${subject}`), ['wrong Available', 'wrong Pod demo-0', 'progress Progressing'])
  t.match(find(tree, 'Container', 'dittofs'), { state: 'wrong', detail: 'waiting: ErrImagePull, example.com/dittofs:1' })
  const told = serverTree(facts({ spec, status: statusOf(except(condition('Available', 'False', 'ErrImagePull', { message: tree.concerns[1]?.message.replace(/^ErrImagePull: /, '') ?? '' }))) }, [waiting]))
  t.strictSame(told.concerns.filter(({ state }) => state === 'wrong').map(({ subject }) => subject), ['Available'], 'the pod says the same')
})

t.test('the pod is known to be wrong before the operator says so', async t => {
  const crashed = pod({
    phase: 'Running',
    containerStatuses: [containerOf({ waiting: { reason: 'CrashLoopBackOff' } }, { restartCount: 3, lastState: { terminated: { exitCode: 2, message: 'no key' } } })],
  })
  const tree = serverTree(facts({ spec, status: statusOf(healthy) }, [statefulSet(1), crashed, ...claims]))
  t.match(tree, { ready: true, state: 'wrong', concerns: [{ subject: 'Pod demo-0', message: /^CrashLoopBackOff: pod demo-0: container dittofs ended with exit code 2: no key/ }] })
  t.match(find(tree, 'Container', 'dittofs')?.detail, 'waiting: CrashLoopBackOff, restarted 3 times')
  t.equal(exitCodeOf([tree]), 1)
})

t.test('a first start, step by step', async t => {
  const current = (objects: Parameters<typeof facts>[1], conditions: readonly object[] = []) =>
    serverTree(facts({ spec, status: statusOf(conditions) }, objects)).stages.find(({ state }) => state === 'current')?.title
  const config = [condition('ConfigReady', 'True', 'ConfigValid')]
  const database = [...config, condition('DatabaseReady', 'False', 'PerconaNotReady')]
  t.equal(current([]), 'configuration')
  t.equal(current([], database), 'database')
  t.equal(current([], config), 'StatefulSet')
  t.equal(current([statefulSet(0)], config), 'volumes')
  t.equal(current([statefulSet(0), ...claims], config), 'pod scheduled')
  const scheduled = { conditions: [{ type: 'PodScheduled', status: 'True' }] }
  t.equal(current([statefulSet(0), ...claims, pod(scheduled)], config), 'container started')
  t.equal(current([statefulSet(0), ...claims, pod({ ...scheduled, containerStatuses: [containerOf({ running: {} })] })], config), 'ready')
  t.equal(current([], healthy), undefined, 'over')
})

t.test('the growth of a volume', async t => {
  const growing = claim('metadata', '20Gi', { phase: 'Bound', capacity: { storage: '10Gi' }, conditions: [{ type: 'Resizing', status: 'True' }] })
  const status = statusOf(except(condition('StorageReady', 'True', 'Expanding', { message: 'claim metadata-demo-0 grows.' })))
  const tree = serverTree(facts({ spec, status }, [statefulSet(1), readyPod, growing]))
  t.match(tree, { ready: true, state: 'progress', concerns: [{ state: 'progress', subject: 'StorageReady' }] })
  t.match(find(tree, 'PersistentVolumeClaim', 'metadata-demo-0'), { state: 'progress', detail: 'Bound, 10Gi of 20Gi, growing' })
  t.equal(exitCodeOf([tree]), 0, 'it serves')
  const refused = claim('metadata', '20Gi', { phase: 'Bound', capacity: { storage: '10Gi' }, allocatedResourceStatuses: { storage: 'ControllerResizeInfeasible' } })
  const failed = serverTree(facts({ spec, status }, [statefulSet(1), readyPod, refused]))
  t.match(failed, { state: 'wrong', concerns: [{ state: 'wrong', subject: 'PersistentVolumeClaim metadata-demo-0', message: /cannot grow from 10Gi to 20Gi/ }, {}] })
  t.equal(exitCodeOf([failed]), 1)
})

t.test('what every start has for a while is wrong only after a while', async t => {
  const stateAfter = (minutes: number) => serverTree(facts({ spec, status: statusOf([condition('Available', 'False', 'NoReplicasAvailable', { minutes })]) })).state
  t.equal(stateAfter(14), 'progress')
  t.equal(stateAfter(16), 'wrong')
})

t.test('a database', async t => {
  const scene = { spec: { ...spec, percona: { enabled: true } }, status: statusOf(healthy) }
  const cluster = child('PerconaPGCluster', 'demo-postgres', {}, { status: { state: 'initializing', postgres: { ready: 1, size: 3 } } })
  t.match(find(serverTree(facts(scene, [cluster])), 'PerconaPGCluster', 'demo-postgres'), { state: 'progress', detail: 'initializing, 1 of 3 instances ready' })
  t.match(find(serverTree(facts(scene)), 'PerconaPGCluster', 'demo-postgres'), { state: 'progress', detail: 'does not exist' })
  t.ok(find(serverTree(facts(scene)), 'Secret', 'demo-postgres-pguser-dittofs'))
})

t.test('addresses of Services', async t => {
  const service = (type: string, ingress: readonly object[]) => child('Service', 'demo-file', {}, {
    spec: { type, clusterIP: '10.96.0.7', ports: [{ name: 'nfs', port: 12049, nodePort: 30001 }, { name: 'smb', port: 445 }] }, status: { loadBalancer: { ingress } },
  })
  const told = (type: string, ...ingress: object[]) => find(serverTree(facts({ spec, status: statusOf(healthy) }, [service(type, ingress)])), 'Service', 'demo-file')
  t.match(told('LoadBalancer', { ip: '192.0.2.1' }), { state: 'ok', detail: 'LoadBalancer 10.96.0.7, external 192.0.2.1: nfs 12049 (node 30001), smb 445', facts: { external: ['192.0.2.1'] } })
  t.match(told('LoadBalancer'), { state: 'progress', detail: /external pending/ })
  t.match(told('ClusterIP'), { state: 'ok', detail: /^ClusterIP 10\.96\.0\.7: nfs/ })
})

t.test('what may not be read is not called wrong', async t => {
  const tree = serverTree(facts({ spec, status: statusOf(healthy) }, [statefulSet(1), readyPod, ...claims], ['Secret']))
  t.match(find(tree, 'Secret', 'demo-jwt-secret'), { state: 'unknown', detail: /^forbidden/ })
  t.match(tree, { ready: true, state: 'ok' })
})

t.test('a deletion, and a foreign StatefulSet', async t => {
  const tree = serverTree(facts({ spec, metadata: { deletionTimestamp: '2026-01-01T00:59:00Z' }, status: statusOf(healthy) }, [
    child('StatefulSet', 'demo', { ownerReferences: [] }),
  ]))
  t.strictSame(tree.concerns.map(({ state, subject }) => `${state} ${subject}`), ['wrong StatefulSet demo', 'progress Deletion'])
})

t.test('the worst server comes first', async t => {
  const tree = (conditions: readonly object[]) => serverTree(facts({ spec, status: statusOf(conditions) }))
  const [well, slow, broken] = [tree(healthy), tree(except(condition('Progressing', 'True', 'X'))), tree(except(condition('ConfigReady', 'False', 'SpecRefused')))]
  t.strictSame(worstFirst([well, slow, broken]), [broken, slow, well])
})
