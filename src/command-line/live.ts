import { pino } from 'pino'
import { storedObject, type Stored } from '../check/apply.ts'
import { ApiClient } from '../cluster/api-client.ts'
import { failureReason } from '../cluster/failure-reason.ts'
import { findObject } from '../cluster/find-object.ts'
import { kinds, objectPath, type Kind, type KindName } from '../cluster/kinds.ts'
import { loadConnection } from '../cluster/kubeconfig.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { LiveCluster } from '../cluster/live-cluster.ts'
import { isNamespaceName, isObjectName } from '../cluster/object-name.ts'
import { kind } from '../dittoserver/api.ts'
import type { Manifest } from '../embedded/manifests.ts'
import { version } from '../version.ts'
import { UsageError } from './fault.ts'

export const userAgent = `dittofs-operator/${version}`

/** Time that an interactive command waits for the API server, in milliseconds. */
export const patience = 10_000

/** The cluster: without a file, that of the default kubeconfig, or that of the current pod. */
export interface ClusterOptions { readonly kubeconfig?: string, readonly context?: string }

/** The cluster options of a command that does not require a cluster: undefined if none is given. */
export const chosenCluster = ({ kubeconfig, context }: ClusterOptions): ClusterOptions | undefined =>
  kubeconfig === undefined && context === undefined
    ? undefined
    : { ...kubeconfig === undefined ? {} : { kubeconfig }, ...context === undefined ? {} : { context } }

/**
 * A cluster for a command that runs once. It does not wait for an unreachable API server.
 * @throws {UsageError} if the kubeconfig is unusable or nothing answers
 */
export async function connect (options: ClusterOptions) {
  const { client, namespace } = await open(options)
  const setting = options.kubeconfig === undefined ? 'the cluster' : `--kubeconfig ${options.kubeconfig}`
  const cluster = new LiveCluster({ client, log: pino({ level: 'silent' }) })
  const installed = await cluster.crdInstalled(AbortSignal.timeout(patience))
  if (installed.state === 'unknown') {
    client.close()
    throw new UsageError(`${setting}: ${installed.reason}`)
  }
  await cluster.start()
  const read = async (kindName: KindName, where: string, name: string): Promise<KubernetesObject | undefined> => {
    const { only, resource }: Kind = kinds[kindName]
    // No object can have this name, and an empty name would be the path of a list.
    if (!isObjectName(name) || (only === undefined && !isNamespaceName(where))) return undefined
    return await findObject(client, objectPath(kindName, { namespace: where, name }), { timeoutMs: patience })
      .catch((error: unknown) => { throw new UsageError(`${setting}: ${failureReason(error, `get ${resource}`)}`, { cause: error }) })
  }
  return {
    cluster,
    /** The namespace of the context. */
    namespace,
    read,
    close: async () => {
      await cluster.stop()
      client.close()
    },
  }
}

/** Finds the stored DittoServer of a manifest, with what was applied before. */
export const storedIn = ({ read }: Pick<Awaited<ReturnType<typeof connect>>, 'read'>) =>
  async ({ namespace, name }: Pick<Manifest, 'namespace' | 'name'>): Promise<Stored | undefined> => {
    const object = await read(kind, namespace, name)
    return object && storedObject(object)
  }

/** @throws {UsageError} if the kubeconfig is unusable */
export async function open ({ kubeconfig, context }: ClusterOptions) {
  try {
    const source = { ...kubeconfig === undefined ? {} : { file: kubeconfig }, ...context === undefined ? {} : { context } }
    const connection = await loadConnection(source)
    return { client: new ApiClient({ connection, userAgent }), namespace: connection.namespace, inCluster: connection.inCluster }
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
