import t from 'tap'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { isReady, isSameReport, podTrouble, trimPod, withCause } from '../../src/controller/pod-state.ts'
import type { Claim } from '../../src/render/claim.ts'

// Statuses as kubelet 1.36 and the scheduler write them.

const pod = (status: object, metadata: object = {}): KubernetesObject =>
  ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'demo-0', uid: '1', ...metadata }, spec: { containers: [] }, status })
const claim = (name: string, phase: string, storageClassName?: string): Claim =>
  ({ metadata: { name }, spec: storageClassName === undefined ? {} : { storageClassName }, status: { phase } })
const container = (state: object, more: object = {}) =>
  ({ name: 'dittofs', image: 'example.com/ditofs:2', imageID: '', ready: false, restartCount: 0, started: false, state, lastState: {}, ...more })
const waiting = (reason: string, message?: string, more: object = {}) => pod({ phase: 'Pending', containerStatuses: [container({ waiting: { reason, message } }, more)] })
const trouble = (found: KubernetesObject | undefined, claims: readonly Claim[] = []) => podTrouble('demo-0', found && trimPod(found), claims)

t.test('an image', async t => {
  const failed = 'failed to pull and unpack image "example.com/ditofs:2": failed to resolve reference "example.com/ditofs:2": not found'
  const first = trouble(waiting('ErrImagePull', `rpc error: code = NotFound desc = ${failed}`))
  t.strictSame(first, { reason: 'ErrImagePull', message: `pod demo-0: image 'example.com/ditofs:2' cannot be pulled: ${failed}. Correct spec.image, or let the nodes reach its registry.` })
  t.strictSame(trouble(waiting('ImagePullBackOff', `Back-off pulling image "example.com/ditofs:2": ErrImagePull: rpc error: code = NotFound desc = ${failed}`)), first, 'the two alternate')

  const unavailable = trouble(waiting('RegistryUnavailable', 'image pull failed for x because the registry is unavailable: no route'))
  t.match(unavailable, { reason: 'ErrImagePull', message: /the registry is unavailable: no route\./ })
  t.strictSame(trouble(waiting('ImagePullBackOff', 'Back-off pulling image "example.com/ditofs:2": RegistryUnavailable: image pull failed for x because the registry is unavailable: no route')), unavailable)

  const older = trouble(waiting('ImagePullBackOff', 'Back-off pulling image "example.com/ditofs:2"'))
  if (!first || !older) throw new Error('nothing found')
  t.match(older, { reason: 'ErrImagePull', message: "pod demo-0: image 'example.com/ditofs:2' cannot be pulled. Correct spec.image", vague: true })
  t.equal(withCause(older, first).message, first.message, 'the cause that was told before stays')
  t.equal(withCause(older, { ...first, message: first.message.replaceAll('ditofs', 'dittofs') }).message, older.message, 'of the same image')
  t.equal(withCause(older, { ...first, reason: 'Unschedulable' }).message, older.message)
  t.equal(withCause(older, undefined), older)
  t.equal(withCause(first, older), first)

  const lookup = (port: number) => trouble(waiting('ErrImagePull', `dial tcp: lookup example.com on 10.96.0.10:53: read udp 10.1.2.3:${port}->10.96.0.10:53: i/o timeout`))
  t.strictSame(lookup(45678), lookup(51234), 'the port of an attempt is not told')
  t.match(trouble(waiting('InvalidImageName', 'Failed to apply default image tag "A b": …')), { reason: 'InvalidImageName', message: /not a valid image name/ })
  t.match(trouble(waiting('ErrImageNeverPull', 'Container image "x" is not present with pull policy of Never')), { reason: 'ErrImageNeverPull', message: /not present with pull policy/ })
})

t.test('a Secret', async t => {
  const key = "couldn't find key jwt-secret in Secret default/jwt"
  t.strictSame(trouble(waiting('CreateContainerConfigError', key)), {
    reason: 'CreateContainerConfigError', message: `pod demo-0: ${key}. Create the Secret with this key, or correct the reference in the spec.`,
  })
  t.match(trouble(waiting('CreateContainerConfigError', 'secret "jwt" not found')), { message: /^pod demo-0: secret "jwt" not found\. Create/ })
})

t.test('a server that exits', async t => {
  const terminated = { exitCode: 1, reason: 'Error', message: 'starting\n{"time":"2026-11-23T13:56:43Z","level":"ERROR","msg":"cannot start","error":"JWT secret must be at least 32 characters"}\n', finishedAt: '2026-11-23T13:56:43Z' }
  const said = { reason: 'CrashLoopBackOff', message: 'pod demo-0: container dittofs ended with exit code 1: cannot start: JWT secret must be at least 32 characters. See `kubectl logs demo-0 -c dittofs --previous`.' }
  const again = { lastState: { terminated } }
  t.strictSame(trouble(pod({ containerStatuses: [container({ terminated })] })), said)
  const states = [
    container({ waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting failed container=dittofs pod=demo-0' } }, again),
    container({ waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s restarting failed container=dittofs pod=demo-0' } }, { ...again, restartCount: 7 }),
    container({ running: { startedAt: '2026-11-23T13:58:43Z' } }, { ...again, started: true }),
    container({ waiting: { reason: 'ContainerCreating' } }, again),
  ]
  for (const state of states) t.strictSame(trouble(pod({ containerStatuses: [state] })), said, 'the same through every back-off')
  t.equal(trouble(pod({ containerStatuses: [container({ running: {} }, { ...again, ready: true })] })), undefined, 'until it is ready')
  const ticks = states.slice(0, 2).map(state => trimPod(pod({ containerStatuses: [state] })))
  t.ok(ticks[0] && ticks[1] && isSameReport(ticks[0], ticks[1]), 'a longer back-off is no news')

  t.match(trouble(pod({ containerStatuses: [container({ terminated: { exitCode: 137, reason: 'OOMKilled' } })] })), { reason: 'OOMKilled', message: /limits\.memory/ })
  t.match(trouble(pod({ containerStatuses: [container({ terminated: { exitCode: 0, reason: 'Completed' } })] })), { message: /ended with exit code 0\. See/ })
  t.match(trouble(pod({ containerStatuses: [container({ terminated: { exitCode: 128, reason: 'StartError', message: 'exec: "dfs": not found' } })] })), { message: /code 128 \(StartError\): exec: "dfs": not found\. See/ })
})

t.test('an init container comes first', async t => {
  const terminated = { exitCode: 1, reason: 'Error', message: 'PostgreSQL at x did not answer within 300 s' }
  const initContainerStatuses = [{ ...container({ terminated }), name: 'wait-for-postgres' }]
  const containerStatuses = [container({ waiting: { reason: 'PodInitializing' } })]
  const message = /container wait-for-postgres ended with exit code 1: PostgreSQL at x did not answer/
  t.match(trouble(pod({ initContainerStatuses, containerStatuses })), { message })
  const done = [{ ...container({ terminated: { exitCode: 0, reason: 'Completed' } }), name: 'wait-for-postgres', ready: true }]
  t.equal(trouble(pod({ initContainerStatuses: done, containerStatuses })), undefined)
})

t.test('an unschedulable pod', async t => {
  const scheduled = (message?: string, reason = 'Unschedulable') => pod({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason, message }] })
  t.match(trouble(scheduled('0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.')), {
    reason: 'Unschedulable', message: 'pod demo-0 cannot be scheduled: 0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling. Adjust',
  })
  t.match(trouble(scheduled(undefined, 'SchedulingGated')), { reason: 'SchedulingGated', message: 'pod demo-0 cannot be scheduled: SchedulingGated. ' })
  const unbound = scheduled('0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found.')
  t.strictSame(trouble(unbound, [claim('metadata-demo-0', 'Pending', 'fast'), claim('cache-demo-0', 'Bound', 'fast'), claim('controlplane-demo-0', 'Pending')]), {
    reason: 'ClaimNotBound',
    message: "claim metadata-demo-0 (StorageClass 'fast'), claim controlplane-demo-0 (no StorageClass): no volume is bound to it. `kubectl describe pvc metadata-demo-0` shows the events of its provisioner.",
  })
  t.match(trouble(unbound), { reason: 'Unschedulable' }, 'claims that are not known are not accused')
  t.match(trouble(scheduled('0/1 nodes are available: 1 Insufficient cpu.'), [claim('metadata-demo-0', 'Pending', 'late')]), { reason: 'Unschedulable' }, 'a claim that waits for its first consumer')
})

t.test('no problem to report', async t => {
  t.equal(trouble(undefined), undefined)
  t.equal(trouble(pod({})), undefined)
  t.equal(trouble(pod({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'True' }] })), undefined)
  t.equal(trouble(waiting('ContainerCreating')), undefined)
  t.equal(trouble(pod({ containerStatuses: [container({ terminated: { exitCode: 0 } })] }, { deletionTimestamp: '2026-11-23T13:56:43Z' })), undefined, 'it is on its way out')
})

t.test('rare cases', async t => {
  t.strictSame(trouble(pod({ phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory. ' })),
    { reason: 'PodFailed', message: 'pod demo-0 failed: Evicted: The node was low on resource: memory. It is recreated.' })
  t.match(trouble(pod({ phase: 'Failed' })), { message: 'pod demo-0 failed. It is recreated.' })
  t.match(trouble(waiting('CreateContainerError', 'context deadline exceeded')), { reason: 'CreateContainerError', message: /does not start: context deadline exceeded\. See `kubectl describe pod demo-0`/ })
})

t.test('the cached form of a pod', async t => {
  const trimmed = trimPod(pod({
    phase: 'Running',
    podIP: '10.0.0.1',
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: 'x' }],
    containerStatuses: [container({ running: { startedAt: 'x' } }, { ready: true, containerID: 'containerd://1' })],
  }, { managedFields: [{}], labels: { app: 'dittofs-server' } }))
  t.equal(trimmed.spec, undefined)
  t.notMatch(JSON.stringify(trimmed), /10\.0\.0\.1|containerd|"x"|managedFields/)
  t.match(trimmed, { metadata: { name: 'demo-0', labels: { app: 'dittofs-server' } }, status: { phase: 'Running', containerStatuses: [{ name: 'dittofs', ready: true }] } })
})

t.test('the condition decides whether a pod is ready', async t => {
  const running = [container({ running: {} }, { ready: true })]
  const said = (status: string, metadata = {}) => trimPod(pod({ conditions: [{ type: 'Ready', status }], containerStatuses: running }, metadata))
  t.equal(isReady(said('True')), true)
  t.equal(isReady(said('False')), false, 'its node is lost: the containers are as kubelet last saw them')
  t.equal(isReady(trimPod(pod({ containerStatuses: running }))), false)
  t.equal(isReady(said('True', { deletionTimestamp: '2026-11-23T13:56:43Z' })), false, 'it is on its way out')
  t.equal(isReady(undefined), false)
  t.equal(isSameReport(said('True'), said('False')), false)
})
