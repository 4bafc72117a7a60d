import t from 'tap'
import { eventually } from '../control-plane/control-plane.ts'
import { adminSecret, fileServer, serverWith } from './file-server.ts'
import { patience, startStory } from './story.ts'
import { stopwatch } from './stopwatch.ts'
import type { Found } from '../e2e/kubectl-user.ts'
import type { Test } from 'tap'

// If a pod cannot run, the status of its server contains the cause within seconds of the pod's own status. One edit corrects it, without
// any action on the pod.

/** Milliseconds from the pod's own report to the status of the server. */
const limit = 5000

interface ContainerState { readonly waiting?: { readonly reason: string } }
interface PodStatus {
  readonly conditions?: readonly { readonly type: string, readonly reason?: string }[]
  readonly containerStatuses?: readonly { readonly state: ContainerState }[]
}

const story = await startStory(t)
if (story) {
  const { apply, patch, get, faults } = story
  const secret = (name: string, stringData: Record<string, string>) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData })
  await apply(adminSecret)
  await apply(secret('jwt', { key: 'a key of at least 32 characters, made for this' }))
  await apply(secret('s3', { accessKeyId: 'id', secretAccessKey: 'key' }))
  const { identity } = serverWith('files').spec
  await apply(serverWith('files', { identity: { ...identity, jwt: { secretRef: { name: 'jwt', key: 'key' } } } }))
  const server = await fileServer(story, 'files')
  await server.awaitReady()

  const spec = async (change: object) => await patch('dittoserver', 'files', { spec: change })
  const available = async () => (await get('dittoserver', 'files'))?.status?.conditions?.find(({ type }) => type === 'Available')
  const podSays = async (reason: string) => {
    const pod = await get<Found>('pod', server.pod)
    const { conditions = [], containerStatuses = [] } = (pod?.status ?? {}) as PodStatus
    const told = [...conditions.map(condition => condition.reason), ...containerStatuses.map(({ state }) => state.waiting?.reason)]
    return told.includes(reason)
  }

  interface Mistake {
    readonly make: () => Promise<unknown>
    /** As the pod reports it. */
    readonly reported: string
    /** According to the status of the server. */
    readonly reason: string
    readonly message: RegExp
    readonly correct: () => Promise<unknown>
  }

  const isShownAndCorrected = async (t: Test, { make, reported, reason, message, correct }: Mistake) => {
    const time = stopwatch(t)
    await make()
    await eventually(async () => await podSays(reported), `the pod says ${reported}`, patience)
    time.lap(`the pod says ${reported}`)
    const found = await eventually(async () => {
      const condition = await available()
      return condition?.reason === reason && message.test(condition.message) && condition
    }, `Available: ${reason}`, limit).catch(async () => t.fail(`not within ${limit} ms; it is ${JSON.stringify(await available())}`))
    time.lap('the status tells it')
    t.match(found, { status: 'False' })
    t.notOk(await server.isReady())
    await correct()
    await server.awaitReady()
    time.lap('corrected, Ready=True')
    t.equal(await server.health(), 200)
  }

  t.test('an image that does not exist', async t => {
    const image = (await get('dittoserver', 'files'))?.spec.image
    await isShownAndCorrected(t, {
      make: async () => await spec({ image: 'marmos91c/ditofs:latest' }),
      reported: 'ErrImagePull',
      reason: 'ErrImagePull',
      message: /^pod files-0: image 'marmos91c\/ditofs:latest' cannot be pulled/,
      correct: async () => await spec({ image }),
    })
  })

  t.test('a resource request that no node can satisfy', async t => {
    await isShownAndCorrected(t, {
      make: async () => await spec({ resources: { requests: { cpu: '10000' } } }),
      reported: 'Unschedulable',
      reason: 'Unschedulable',
      message: /files-0.*Insufficient cpu/s,
      correct: async () => await spec({ resources: null }),
    })
  })

  t.test('a missing key in a Secret', async t => {
    await isShownAndCorrected(t, {
      make: async () => await spec({ s3: { credentialsSecretRef: { secretName: 's3', accessKeyIdKey: 'AccessKey' } } }),
      reported: 'CreateContainerConfigError',
      reason: 'CreateContainerConfigError',
      message: /^pod files-0: .*AccessKey/s,
      correct: async () => await patch('secret', 's3', { stringData: { AccessKey: 'id' } }),
    })
  })

  t.test('a configuration that the server does not start with', async t => {
    await isShownAndCorrected(t, {
      make: async () => await patch('secret', 'jwt', { stringData: { key: 'too short' } }),
      reported: 'CrashLoopBackOff',
      reason: 'CrashLoopBackOff',
      message: /^pod files-0: container dittofs ended with exit code 1.*32 characters/s,
      correct: async () => await patch('secret', 'jwt', { stringData: { key: 'a key that has 32 characters, or more' } }),
    })
  })

  t.test('the measurements are valid', async t => { t.strictSame(faults, []) })
}
