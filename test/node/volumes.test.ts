import { access } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { Infeasible, folderClass, resizeSteps, startNode, type ResizeStep } from './node.ts'
import { conditionOf, images, isReady, obedient, podUser, script } from './pod-user.ts'
import { claimPath, volumePath } from './provisioner.ts'
import type { Found, FoundClaim } from '../e2e/kubectl-user.ts'
import type { Claim, PersistentVolume } from './provisioner.ts'

// Pods that the real scheduler gives to the node of the tests, with claims that the real controllers bind; and claims that grow.

const binaries = await binariesOrSkip(t, { controllerManager: true, scheduler: true })
if (binaries) {
  t.setTimeout(900_000)
  const plane = await startControlPlane(t, binaries, { controllerManager: true, scheduler: true })
  /** The state of a claim before each step. */
  const seen: { step: ResizeStep, claim: Claim['status'], volume: string }[] = []
  const failing = new Map<ResizeStep, string>()
  const read = async <Value>(path: string) => await plane.client.request<Value>({ verb: 'get', method: 'GET', path })
  const node = await startNode(t, plane, {
    images,
    timing: { retry: 3000 },
    beforeResize: async (step, name) => {
      const { spec, status } = await read<Claim>(claimPath({ namespace: 'default', name }))
      const { spec: { capacity: { storage } } } = await read<PersistentVolume>(volumePath(spec.volumeName ?? ''))
      seen.push({ step, claim: status, volume: storage })
      const reason = failing.get(step)
      if (reason !== undefined) throw new Infeasible(reason)
    },
  })
  const { apply, run, patch, get, until, awaitGone, logOf, ...user } = podUser(plane, node)
  const awaitObject = async <Value extends Found>(kind: string, name: string, test: (object: Value) => unknown, what: string) =>
    await user.awaitObject(kind, name, test, what, 120_000)
  await apply(folderClass('at-once', { isDefault: true }))
  await apply(folderClass('when-used', { waitForPod: true }))
  await apply(folderClass('kept', { reclaimPolicy: 'Retain' }))

  const claimOf = (storageClassName?: string) => ({
    accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...storageClassName && { storageClassName },
  })
  const claim = async (name: string, storageClassName?: string) =>
    await apply({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name }, spec: claimOf(storageClassName) })
  const pod = async (name: string, claimName: string, rest: object = {}) => await apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 2,
      containers: [script(`ls /data; touch /data/f; ${obedient}`, { volumeMounts: [{ name: 'data', mountPath: '/data' }], ...rest })],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
    },
  })
  const isBound = ({ status }: FoundClaim) => status?.phase === 'Bound'

  t.test('pods of a StatefulSet keep their volumes', async t => {
    const labels = { app: 'set' }
    await apply({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'set' },
      spec: {
        serviceName: 'set',
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 2,
            containers: [script(`ls /data; touch /data/f; ${obedient}`, { volumeMounts: [{ name: 'data', mountPath: '/data' }] })],
          },
        },
        volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claimOf() }],
      },
    })
    const first = await until('set-0', isReady, 'ready')
    t.equal(await logOf(first), 'up\n')
    await run(['delete', 'pod', 'set-0'])
    const second = await until('set-0', pod => isReady(pod) && pod.metadata.uid !== first.metadata.uid, 'made again')
    t.equal(await logOf(second), 'f\nup\n', 'what the first has written')
  })

  t.test('a volume is provisioned for the node that the scheduler selected', async () => {
    await claim('late', 'when-used')
    await delay(1000)
    t.equal((await get('pvc', 'late'))?.status?.phase, 'Pending')
    await pod('user-of-late', 'late')
    await until('user-of-late', isReady, 'ready')
  })

  t.test('an unschedulable pod', async t => {
    await claim('spare')
    await pod('greedy', 'spare', { resources: { requests: { cpu: '1000' } } })
    const found = await until('greedy', pod => conditionOf(pod, 'PodScheduled')?.status === 'False', 'not scheduled')
    t.match(conditionOf(found, 'PodScheduled'), { reason: 'Unschedulable', message: /Insufficient cpu/ })
    t.equal(found.status?.phase, 'Pending')
  })

  t.test('the lifecycle of a folder', async t => {
    const isThere = async (folder: string) => await access(folder).then(() => true, () => false)
    for (const storageClass of ['at-once', 'kept']) {
      const name = `short-lived-${storageClass}`
      await claim(name, storageClass)
      const { spec } = await awaitObject<FoundClaim & Claim>('pvc', name, isBound, 'bound')
      const folder = await eventually(async () => await Promise.resolve(node.claimFolder(name)), 'its folder')
      await run(['delete', 'pvc', name])
      await awaitGone('pvc', name)
      if (storageClass === 'at-once') await eventually(async () => !await isThere(folder), 'removed')
      else {
        await awaitObject('pv', spec.volumeName ?? '', ({ status }) => status?.phase === 'Released', 'released')
        await delay(2000)
        t.ok(await isThere(folder), 'kept')
      }
    }
  })

  t.test('a claim grows while its pod runs', async t => {
    await claim('growing')
    await pod('user-of-growing', 'growing')
    await until('user-of-growing', isReady, 'ready')
    const { pid } = node.runningIn('user-of-growing')
    seen.length = 0
    await patch('pvc', 'growing', { spec: { resources: { requests: { storage: '2Gi' } } } })
    const grown = await awaitObject<FoundClaim & Claim>('pvc', 'growing', ({ status }) => status?.capacity?.storage === '2Gi', 'grown')
    // A step is retried if another client has written the claim in between.
    const last = resizeSteps.map(step => seen.findLast(found => found.step === step))
    t.strictSame(last.map(found => [
      found?.claim?.capacity?.storage, found?.volume, found?.claim?.allocatedResourceStatuses?.storage, found?.claim?.conditions?.[0]?.type,
    ]), [
      ['1Gi', '1Gi', undefined, undefined],
      ['1Gi', '1Gi', 'ControllerResizeInProgress', 'Resizing'],
      ['1Gi', '2Gi', 'ControllerResizeInProgress', 'Resizing'],
      ['1Gi', '2Gi', 'NodeResizePending', 'FileSystemResizePending'],
      ['1Gi', '2Gi', 'NodeResizeInProgress', 'FileSystemResizePending'],
    ])
    t.notOk(grown.status?.conditions)
    t.notOk(grown.status?.allocatedResourceStatuses)
    t.equal(node.runningIn('user-of-growing').pid, pid)
  })

  t.test('a file system grows only where it is mounted', async t => {
    await claim('idle')
    await awaitObject<FoundClaim>('pvc', 'idle', isBound, 'bound')
    await patch('pvc', 'idle', { spec: { resources: { requests: { storage: '2Gi' } } } })
    const isPending = ({ status }: Claim) => status?.conditions?.some(({ type }) => type === 'FileSystemResizePending')
    await awaitObject<FoundClaim & Claim>('pvc', 'idle', isPending, 'pending')
    await delay(2000)
    t.ok(isPending(await awaitObject<FoundClaim & Claim>('pvc', 'idle', () => true, 'there')), 'still')
    await pod('user-of-idle', 'idle')
    await awaitObject<FoundClaim>('pvc', 'idle', ({ status }) => status?.capacity?.storage === '2Gi', 'grown')
  })

  t.test('a size that the driver refuses, then a smaller one that it accepts', async t => {
    await claim('refused')
    await awaitObject<FoundClaim>('pvc', 'refused', isBound, 'bound')
    await pod('user-of-refused', 'refused')
    failing.set('VolumeCapacity', 'no more than 3Gi')
    await patch('pvc', 'refused', { spec: { resources: { requests: { storage: '9Gi' } } } })
    const failed = await awaitObject<FoundClaim & Claim>('pvc', 'refused',
      ({ status }) => status?.allocatedResourceStatuses?.storage === 'ControllerResizeInfeasible', 'refused')
    t.match(failed.status?.conditions?.find(({ type }) => type === 'ControllerResizeError'), { message: /no more than 3Gi/ })
    failing.clear()
    await patch('pvc', 'refused', { spec: { resources: { requests: { storage: '3Gi' } } } })
    const grown = await awaitObject<FoundClaim & Claim>('pvc', 'refused', ({ status }) => status?.capacity?.storage === '3Gi', 'grown')
    t.notOk(grown.status?.conditions)
  })

  t.test('a file system that cannot grow at first', async t => {
    await claim('stiff')
    await pod('user-of-stiff', 'stiff')
    await until('user-of-stiff', isReady, 'ready')
    failing.set('Finished', 'the file system is busy')
    await patch('pvc', 'stiff', { spec: { resources: { requests: { storage: '2Gi' } } } })
    const failed = await awaitObject<FoundClaim & Claim>('pvc', 'stiff',
      ({ status }) => status?.allocatedResourceStatuses?.storage === 'NodeResizeInfeasible', 'failed')
    t.match(failed.status?.conditions?.find(({ type }) => type === 'NodeResizeError'), { message: /the file system is busy/ })
    failing.clear()
    await awaitObject<FoundClaim>('pvc', 'stiff', ({ status }) => status?.capacity?.storage === '2Gi', 'grown')
  })

  t.test('no unexpected errors in the node', async t => { t.strictSame(node.faults, []) })
}
