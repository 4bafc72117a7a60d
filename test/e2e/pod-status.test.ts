import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { asServiceAccount } from './installation.ts'
import { kubectlUser, serverOf, type Condition } from './kubectl-user.ts'
import { startOperator } from './operator.ts'

// The status of a server contains the messages of the kubelet and the scheduler about its pod. No pods run here: the tests write their
// statuses in the format of kubelet 1.36.

const crd = fileURLToPath(new URL('../../manifests/crd.yaml', import.meta.url))
/** Milliseconds from the pod's own report to the status of the server. */
const limit = 5000
const binaries = await binariesOrSkip(t, { controllerManager: true })
if (binaries) {
  const plane = await startControlPlane(t, binaries, { crds: [crd], controllerManager: true })
  const { get, patch, apply, awaitObject } = kubectlUser(plane)
  const operator = await startOperator(t, [...await asServiceAccount(plane), '--no-webhook'])
  await operator.ready()

  const podPath = (name: string) => `/api/v1/namespaces/default/pods/${name}-0/status`
  const report = async (name: string, status: object) => {
    const { status: code, body } = await plane.request('PATCH', podPath(name), { status }, 'application/merge-patch+json')
    if (code !== 200) throw new Error(JSON.stringify(body))
  }
  const available = async (name: string) => (await get('dittoserver', name))?.status?.conditions?.find(({ type }) => type === 'Available')
  const awaitReason = async (name: string, reason: string): Promise<Condition> => await eventually(async () => {
    const found = await available(name)
    return found?.reason === reason && found
  }, `${name}: ${reason}; it is ${JSON.stringify(await available(name))}`, limit)
  const container = (state: object, rest: object = {}) => ({
    phase: 'Pending',
    containerStatuses: [{ name: 'dittofs', image: 'example.com/ditofs:2', imageID: '', ready: false, restartCount: 0, state, lastState: {}, ...rest }],
  })
  const waiting = (reason: string, message: string, rest?: object) => container({ waiting: { reason, message } }, rest)
  const made = async (name: string, spec: object = {}) => {
    await apply(serverOf(name, spec))
    await awaitObject('pod', `${name}-0`, () => true, 'made')
    await eventually(async () => (await available(name))?.reason === 'NoReplicasAvailable', 'nothing is known yet')
  }
  const versionOf = async (name: string) => (await get('dittoserver', name))?.metadata.resourceVersion

  t.test('an image that does not exist, during its back-off, and corrected', async t => {
    await made('image', { image: 'example.com/ditofs:2' })
    const cause = 'failed to resolve reference "example.com/ditofs:2": not found'
    const pull = async (reason: string) => await report('image', waiting(reason,
      reason === 'ErrImagePull' ? `rpc error: code = NotFound desc = ${cause}` : `Back-off pulling image "example.com/ditofs:2": ErrImagePull: rpc error: code = NotFound desc = ${cause}`))
    await pull('ErrImagePull')
    const { status, message } = await awaitReason('image', 'ErrImagePull')
    t.equal(status, 'False')
    t.equal(message, `pod image-0: image 'example.com/ditofs:2' cannot be pulled: ${cause}. Correct spec.image, or let the nodes reach its registry.`)
    const version = await versionOf('image')
    for (const reason of ['ImagePullBackOff', 'ErrImagePull', 'ImagePullBackOff']) {
      await pull(reason)
      await delay(500)
    }
    t.equal(await versionOf('image'), version, 'no tick of it writes anything')
    const conditions = (await get('dittoserver', 'image'))?.status?.conditions
    t.match(conditions?.find(({ type }) => type === 'Ready')?.message, message, 'Ready tells it, too')

    const pod = await get('pod', 'image-0')
    await patch('dittoserver', 'image', { spec: { image: 'example.com/dittofs:2' } })
    await awaitObject('pod', 'image-0', ({ metadata }) => metadata.uid !== pod?.metadata.uid, 'replaced')
    await awaitReason('image', 'NoReplicasAvailable')
    await report('image', { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }], containerStatuses: [] })
    t.match(await awaitReason('image', 'MinimumReplicasAvailable'), { status: 'True' })
  })

  t.test('a missing key in a Secret', async t => {
    await made('key')
    await report('key', waiting('CreateContainerConfigError', "couldn't find key jwt-secret in Secret default/jwt"))
    t.match(await awaitReason('key', 'CreateContainerConfigError'), { message: "pod key-0: couldn't find key jwt-secret in Secret default/jwt. Create the Secret" })
  })

  t.test('a server that exits repeatedly', async t => {
    await made('crash')
    const terminated = { exitCode: 1, reason: 'Error', startedAt: '2026-11-23T13:56:43Z', finishedAt: '2026-11-23T13:56:44Z', message: 'Error: JWT secret must be at least 32 characters\nUsage:\n' }
    await report('crash', container({ terminated }))
    const { message } = await awaitReason('crash', 'CrashLoopBackOff')
    t.match(message, 'pod crash-0: container dittofs ended with exit code 1: Error: JWT secret must be at least 32 characters. See')
    const version = await versionOf('crash')
    for (const [restartCount, wait] of ['10s', '20s', '40s'].entries()) {
      const rest = { restartCount, lastState: { terminated } }
      await report('crash', waiting('CrashLoopBackOff', `back-off ${wait} restarting failed container=dittofs pod=crash-0_default`, rest))
      await delay(400)
      await report('crash', container({ running: { startedAt: '2026-11-23T13:56:43Z' } }, rest))
      await delay(400)
    }
    t.equal(await versionOf('crash'), version)
  })

  t.test('no resources, and no volume', async t => {
    await made('room', { storage: { metadataSize: '1Gi', storageClassName: 'absent' } })
    const unschedulable = async (message: string) => await report('room', { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }] })
    await unschedulable('0/1 nodes are available: 1 Insufficient memory.')
    t.match(await awaitReason('room', 'Unschedulable'), { message: 'pod room-0 cannot be scheduled: 0/1 nodes are available: 1 Insufficient memory.' })
    await unschedulable('0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.')
    t.match(await awaitReason('room', 'ClaimNotBound'), { message: "claim metadata-room-0 (StorageClass 'absent'), claim cache-room-0 (StorageClass 'absent')" })
  })

  t.test('no unexpected errors', async t => {
    t.strictSame(operator.lines.filter(({ level }) => level === 'error' || level === 'warn'), [])
  })
}
