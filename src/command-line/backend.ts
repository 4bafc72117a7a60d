import type { Logger } from 'pino'
import { ApiClient } from '../cluster/api-client.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { loadConnection } from '../cluster/kubeconfig.ts'
import { LiveCluster } from '../cluster/live-cluster.ts'
import type { Manifest } from '../embedded/manifests.ts'
import type { Metrics } from '../metrics.ts'
import { crdName } from '../dittoserver/api.ts'
import { StartUpError } from './fault.ts'
import { userAgent } from './live.ts'

/** The cluster of the server: a live one, or a folder that is used instead. */
export interface Backend {
  readonly cluster: Cluster
  /** For the API server of a live cluster. */
  readonly client?: ApiClient
  /** Resolves when the cluster is known. @throws {StartUpError} if it answers but does not have what the operator needs */
  readonly start: (signal: AbortSignal) => Promise<void>
  readonly stop: () => Promise<void>
  /** The objects in the folder; empty for a live cluster. */
  readonly manifests: () => readonly Manifest[]
  readonly onChange: (listener: () => void) => void
  /** Sets the function that says whether a server refers to a Secret: such Secrets have no lookup limit. */
  readonly namedSecrets?: (isNamed: (namespace: string, name: string) => boolean) => void
}

export interface LiveOptions {
  readonly kubeconfig?: string
  readonly context?: string
  readonly watchNamespace?: string
}

export async function liveBackend (options: LiveOptions, log: Logger, metrics: Metrics): Promise<Backend> {
  const { kubeconfig: file, context, watchNamespace } = options
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
  let isNamed = (_namespace: string, _name: string) => false
  const cluster = new LiveCluster({
    client,
    log,
    onLookup: metrics.lookedUp,
    onWatch: event => metrics.watchEvent('StorageClass', event),
    secrets: { namespace: watchNamespace, isNamed: (namespace, name) => isNamed(namespace, name) },
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
    namedSecrets: known => { isNamed = known },
  }
}
