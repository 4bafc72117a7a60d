import { mkdir, mkdtemp, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import type { ControlPlane } from '../control-plane/control-plane.ts'
import { argumentsOf, endpointSlice, freePortOf, serviceAccount, serviceAccountKubeconfig } from './installation.ts'
import { startOperator } from './operator.ts'
import type { InstalledObject } from './grants.ts'

interface Metadata {
  readonly name: string
  readonly namespace: string
  readonly deletionTimestamp?: string
  readonly finalizers?: readonly string[]
}
interface Pod { readonly metadata: Metadata, readonly status?: { readonly phase?: string } }
interface PostgresCluster { readonly metadata: Metadata }

const now = () => new Date().toISOString()

/**
 * What nodes and the Percona operator do, as far as commands wait for it: every pod is ready, a pod that is deleted is gone, and a
 * PostgreSQL cluster that is deleted too. Ends with the test.
 */
export function pretendNodes (t: Pick<Test, 'teardown'>, { client, request }: Pick<ControlPlane, 'client' | 'request'>): void {
  const list = async <Item> (path: string): Promise<readonly Item[]> =>
    await client.request<{ items: readonly Item[] }>({ verb: 'list', method: 'GET', path }).then(({ items }) => items, () => []) // a kind that is not there yet
  const patch = async (path: string, change: object) => await request('PATCH', path, JSON.stringify(change), 'application/merge-patch+json')
  const ready = { phase: 'Running', conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map(type => ({ type, status: 'True', lastTransitionTime: now() })) }
  const pods = async () => {
    for (const { metadata: { name, namespace, deletionTimestamp }, status } of await list<Pod>('/api/v1/pods')) {
      const path = `/api/v1/namespaces/${namespace}/pods/${name}`
      if (deletionTimestamp !== undefined) await request('DELETE', path, JSON.stringify({ gracePeriodSeconds: 0 }), 'application/json')
      else if (status?.phase !== 'Running') await patch(`${path}/status`, { status: ready })
    }
  }
  const clusters = async () => {
    for (const { metadata: { name, namespace, deletionTimestamp, finalizers = [] } } of await list<PostgresCluster>('/apis/pgv2.percona.com/v2/perconapgclusters')) {
      if (deletionTimestamp !== undefined && finalizers.length > 0) {
        await patch(`/apis/pgv2.percona.com/v2/namespaces/${namespace}/perconapgclusters/${name}`, { metadata: { finalizers: null } })
      }
    }
  }
  const stop = new AbortController()
  const running = (async () => {
    while (!stop.signal.aborted) {
      await pods().catch(() => {}) // deleted meanwhile
      await clusters().catch(() => {})
      await delay(300, undefined, { signal: stop.signal }).catch(() => {})
    }
  })()
  t.teardown(async () => {
    stop.abort()
    await running
  })
}

interface Deployment extends InstalledObject {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly volumes?: readonly { readonly name: string, readonly secret?: { readonly secretName: string } }[]
        readonly containers: readonly [{ readonly volumeMounts?: readonly { readonly name: string, readonly mountPath: string }[] }]
      }
    }
  }
}

/** As kubelet mounts the Secret that a Deployment names where `--tls-dir` looks: resolves with a folder of this machine. */
async function mountCertificate ({ kubectl, folder }: ControlPlane, { spec: { template } }: Deployment, path: string): Promise<string> {
  const { volumes = [], containers: [{ volumeMounts = [] }] } = template.spec
  const volume = volumeMounts.find(({ mountPath }) => mountPath === path)?.name
  const secret = volumes.find(({ name }) => name === volume)?.secret?.secretName ?? ''
  const { stdout } = await kubectl(['get', 'secret', secret, '-n', serviceAccount.namespace, '-o', 'json'])
  const { data } = JSON.parse(stdout) as { data: Record<string, string> }
  const mounted = await mkdtemp(join(folder, 'mounted-'))
  await mkdir(join(mounted, 'tls'))
  for (const [key, value] of Object.entries(data)) {
    await writeFile(join(mounted, key), Buffer.from(value, 'base64'))
    await rename(join(mounted, key), join(mounted, 'tls', key))
  }
  return join(mounted, 'tls')
}

/**
 * The process in the pods of the Deployment that is installed, with its arguments and its account, behind the webhook's Service. It ends
 * at once when it is told to: no other pod takes over.
 */
export async function startInstalled (t: Pick<Test, 'teardown'>, plane: ControlPlane, address: string) {
  const { kubectl } = plane
  const { stdout } = await kubectl(['-n', serviceAccount.namespace, 'get', 'deployment', serviceAccount.name, '-o', 'json'])
  const deployment = JSON.parse(stdout) as Deployment
  const args = argumentsOf([deployment])
  const mountPath = args.find(argument => argument.startsWith('--tls-dir='))?.slice('--tls-dir='.length)
  const files = mountPath === undefined ? [] : [`--tls-dir=${await mountCertificate(plane, deployment, mountPath)}`]
  const kept = args.filter(argument => !/^(serve|--(port|health-port|tls-dir|client-ca|drain-period)=.*)$/.test(argument))
  const port = await freePortOf(address)
  const { code, stderr } = await kubectl(['apply', '-f', '-'], JSON.stringify(endpointSlice(address, port)))
  if (code !== 0) throw new Error(stderr)
  const kubeconfig = await serviceAccountKubeconfig(plane)
  const operator = await startOperator(t, ['--kubeconfig', kubeconfig, ...kept, ...files, '--host', '0.0.0.0', '--port', String(port)])
  await operator.ready()
  return {
    kubeconfig,
    healthPort: operator.healthPort,
    end: async () => {
      operator.child.kill('SIGTERM')
      await operator.exited
    },
  }
}
