import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ApiClient } from '../../src/cluster/api-client.ts'
import { hasStatus } from '../../src/cluster/api-error.ts'
import { loadConnection } from '../../src/cluster/kubeconfig.ts'
import { startUndertaker } from '../control-plane/undertaker.ts'
import { follow } from './api.ts'
import { eventRecorder } from './events.ts'
import { PodWorker } from './pod-worker.ts'
import { Provisioner } from './provisioner.ts'
import { register } from './registration.ts'
import { Resizer } from './resizer.ts'
import { kubeletTiming } from './timing.ts'
import type { Test } from 'tap'
import type { ControlPlane } from '../control-plane/control-plane.ts'
import type { Images } from './images.ts'
import type { Pod } from './pod.ts'
import type { ResizerOptions } from './resizer.ts'
import type { Sandbox } from './sandbox.ts'
import type { Timing } from './timing.ts'

export { folderClass } from './provisioner.ts'
export { Infeasible, resizeSteps } from './resizer.ts'
export type { ResizeStep } from './resizer.ts'

export interface NodeOptions {
  /** The images that can be pulled. */
  readonly images: Images
  readonly name?: string
  /** The resources that the scheduler can assign. */
  readonly capacity?: Readonly<Record<string, string>>
  readonly timing?: Partial<Timing>
  /** Awaited before each step of a claim that grows: a test holds it up here, or throws Infeasible. */
  readonly beforeResize?: ResizerOptions['before']
}

const defaultCapacity = { cpu: '8', memory: '16Gi', 'ephemeral-storage': '100Gi', pods: '110' }

export interface Start { readonly pod: string, readonly namespace: string, readonly container: string, readonly pid: number }

/**
 * A node of the cluster: it runs the containers of its pods as processes of this machine, and provides claims as folders. Ends with the
 * test. README.md lists what it does not simulate.
 */
export async function startNode (t: Pick<Test, 'teardown'>, plane: ControlPlane, options: NodeOptions) {
  const { images, name = 'node-1', capacity = defaultCapacity } = options
  const timing = { ...kubeletTiming, ...options.timing }
  const folder = join(plane.folder, name)
  await mkdir(join(folder, 'volumes'), { recursive: true })
  // Programs run as other users, and must reach their volumes.
  for (const path of [plane.folder, folder, join(folder, 'volumes')]) await chmod(path, 0o711)
  const stopping = new AbortController()
  const { signal } = stopping
  const faults: unknown[] = []
  const onError = (error: unknown) => { if (!signal.aborted) faults.push(error) }

  // Separate user names distinguish their writes from those of the tests in the audit log.
  const client = await clientFor(plane, `system:node:${name}`)
  const driver = await clientFor(plane, 'folder-driver')
  const record = eventRecorder(client, name)
  const processes = keepAccount(join(folder, 'processes'))
  const workers = new Map<string, PodWorker>()
  const starts: Start[] = []
  const provisioner: Provisioner = new Provisioner({
    client: driver, signal, onError, folder: join(folder, 'volumes'), onChange: claim => { resizer.changed(claim) },
  })
  const resizer = new Resizer({
    client: driver,
    signal,
    onError,
    retry: timing.retry,
    before: options.beforeResize ?? (async () => {}),
    volumeOf: claim => provisioner.volumeOf(claim),
    isMounted: ({ metadata: { namespace, name } }) =>
      [...workers.values()].some(({ metadata, claims }) => metadata.namespace === namespace && claims.includes(name)),
  })
  const ended: Promise<void>[] = []

  const readData = (namespace: string) => async (kind: 'configmap' | 'secret', object: string) => await readObject(client, namespace, kind, object)
  const start = (pod: Pod): PodWorker => new PodWorker({
    client,
    onMount: () => {
      for (const { persistentVolumeClaim } of pod.spec.volumes ?? []) {
        const claim = persistentVolumeClaim && provisioner.claim(pod.metadata.namespace, persistentVolumeClaim.claimName)
        if (claim) resizer.changed(claim)
      }
    },
    pod,
    images,
    timing,
    record,
    readData,
    onSpawn: (container, sandbox) => {
      processes.add(sandbox)
      starts.push({ pod: pod.metadata.name, namespace: pod.metadata.namespace, container, pid: sandbox.pid })
    },
    folder: join(folder, 'pods', `${pod.metadata.namespace}_${pod.metadata.name}_${pod.metadata.uid}`),
    claimFolder: async claim => await Promise.resolve(provisioner.folderOf(pod.metadata.namespace, claim)),
  })
  await register(client, name, capacity, signal)
  const following = follow<Pod>({
    client,
    signal,
    path: '/api/v1/pods',
    query: { fieldSelector: `spec.nodeName=${name}` },
    onChange: pod => {
      const { uid } = pod.metadata
      const worker = workers.get(uid) ?? start(pod)
      workers.set(uid, worker)
      worker.update(pod)
    },
    onDelete: ({ metadata: { uid } }) => {
      const worker = workers.get(uid)
      if (!workers.delete(uid) || !worker) return
      ended.push(worker.kill())
    },
  })

  t.teardown(async () => {
    stopping.abort()
    await Promise.all([following, provisioner.following])
    await Promise.all([...[...workers.values()].map(async worker => { await worker.kill() }), ...ended])
    processes.close()
    client.close()
    driver.close()
  })

  const workerOf = (pod: string, namespace = 'default') =>
    [...workers.values()].findLast(({ metadata }) => metadata.name === pod && metadata.namespace === namespace)
  return {
    name,
    /** Unexpected errors in the node itself: a test asserts that there are none. */
    faults,
    /** Every process that was started in a container, in order. */
    starts: starts as readonly Start[],
    /** The program that runs in a container, the first if none is named: its process, its log. @throws when nothing runs */
    runningIn: (pod: string, container?: string, namespace?: string) => {
      const running = workerOf(pod, namespace)?.container(container)?.running
      if (!running) throw new Error(`nothing runs in pod ${pod}`)
      return running
    },
    /** The folder of a claim. */
    claimFolder: (claim: string, namespace = 'default') => provisioner.folderOf(namespace, claim),
    /** The folder of a pod: `CONTAINER/RESTART/log` contains the output of a container. */
    podFolder: ({ metadata: { namespace, name: pod, uid } }: Pick<Pod, 'metadata'>) => join(folder, 'pods', `${namespace}_${pod}_${uid}`),
  }
}

export type TestNode = Awaited<ReturnType<typeof startNode>>

async function clientFor (plane: ControlPlane, user: string): Promise<ApiClient> {
  const { kubeconfigPath: file } = await plane.addUser(user, ['system:masters'])
  return new ApiClient({ connection: await loadConnection({ file }), userAgent: user })
}

/** The processes that end with this one, however it ends. */
function keepAccount (folder: string) {
  const undertaker = startUndertaker(folder)
  const alive = new Set<number>()
  return {
    add: ({ pid, parent, exited }: Sandbox) => {
      const pids = [pid, parent].filter(Boolean)
      for (const one of pids) alive.add(one)
      undertaker.watch([...alive])
      void exited.then(() => {
        for (const one of pids) alive.delete(one)
        undertaker.watch([...alive])
      })
    },
    close: () => { undertaker.dismiss() },
  }
}

/** Kept in base64 in a Secret; text, or base64, in a ConfigMap. */
async function readObject (client: ApiClient, namespace: string, kind: 'configmap' | 'secret', name: string) {
  try {
    const path = `/api/v1/namespaces/${namespace}/${kind}s/${name}`
    const { data = {}, binaryData = {} } = await client.request<{ data?: Record<string, string>, binaryData?: Record<string, string> }>({ verb: 'get', method: 'GET', path })
    const encoding = kind === 'secret' ? 'base64' : 'utf8'
    return new Map([
      ...Object.entries(data).map(([key, value]) => [key, Buffer.from(value, encoding)] as const),
      ...Object.entries(binaryData).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const),
    ])
  } catch (error) {
    if (hasStatus(error, 404)) return undefined
    throw error
  }
}
