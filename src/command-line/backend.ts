import { stat } from 'node:fs/promises'
import type { Logger } from 'pino'
import { ApiClient } from '../cluster/api-client.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { loadConnection } from '../cluster/kubeconfig.ts'
import { LiveCluster } from '../cluster/live-cluster.ts'
import { EmbeddedCluster } from '../embedded/embedded-cluster.ts'
import { ManifestFolder } from '../embedded/manifest-folder.ts'
import type { Manifest } from '../embedded/manifests.ts'
import type { Metrics } from '../metrics.ts'
import { crdName } from '../dittoserver/api.ts'
import { StartUpError } from './fault.ts'
import { userAgent } from './live.ts'

/** The cluster behind the server: a live one, or a folder that stands in for it. */
export interface Backend {
  readonly cluster: Cluster
  /** To the API server of a live cluster. */
  readonly client?: ApiClient
  /** Resolves when the cluster is known. @throws {StartUpError} when it answers but lacks what is needed */
  readonly start: (signal: AbortSignal) => Promise<void>
  readonly stop: () => Promise<void>
  /** The objects of the folder; none of a live cluster. */
  readonly manifests: () => readonly Manifest[]
  readonly onChange: (listener: () => void) => void
}

export async function embeddedBackend (folder: string, log: Logger): Promise<Backend> {
  const found = await stat(folder).catch(() => undefined)
  if (!found?.isDirectory()) throw new StartUpError(`--embedded ${folder}: ${found ? 'not a folder' : 'no such folder'}`)
  const manifests = new ManifestFolder(folder, log)
  return {
    cluster: new EmbeddedCluster(() => manifests.manifests),
    start: async () => await manifests.start(),
    stop: async () => manifests.stop(),
    manifests: () => manifests.manifests,
    onChange: listener => manifests.onChange(listener),
  }
}

export async function liveBackend (options: { kubeconfig?: string, context?: string }, log: Logger, metrics: Metrics): Promise<Backend> {
  const { kubeconfig: file, context } = options
  const connection = await loadConnection({ ...(file ? { file } : {}), ...(context ? { context } : {}) })
    .catch((error: unknown) => { throw new StartUpError((error as Error).message) })
  const client = new ApiClient({
    connection,
    userAgent,
    observe: ({ verb, method, status, seconds }) => {
      metrics.restRequests.inc({ code: status ?? '<error>', method })
      metrics.restDuration.observe({ verb }, seconds)
    },
  })
  const cluster = new LiveCluster({
    client,
    log,
    onLookup: ({ kind, result, seconds }) => metrics.lookups.observe({ kind, result }, seconds),
    onWatch: event => metrics.watchEvent('StorageClass', event),
  })
  metrics.watches(() => cluster.watches())
  return {
    cluster,
    client,
    start: async signal => {
      await cluster.start()
      if (signal.aborted) return
      const installed = await cluster.crdInstalled(signal)
      if (installed.state === 'absent') {
        throw new StartUpError(`the CustomResourceDefinition ${crdName} is not installed: kubectl apply --server-side -f manifests/crd.yaml`)
      }
    },
    stop: async () => {
      await cluster.stop()
      client.close()
    },
    manifests: () => [],
    onChange: () => {},
  }
}
