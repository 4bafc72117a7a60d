import { pino } from 'pino'
import { ApiClient } from '../cluster/api-client.ts'
import { failureReason } from '../cluster/failure-reason.ts'
import { findObject } from '../cluster/find-object.ts'
import { kinds } from '../cluster/kinds.ts'
import { loadConnection } from '../cluster/kubeconfig.ts'
import { LiveCluster } from '../cluster/live-cluster.ts'
import { resourcePath } from '../cluster/resource-path.ts'
import { group, plural, version as apiVersion } from '../dittoserver/api.ts'
import type { ReadObject } from '../render/offline.ts'
import { version } from '../version.ts'
import { UsageError } from './fault.ts'

export const userAgent = `dittofs-operator/${version}`

/** Milliseconds that a command at a terminal waits for the API server. */
const patience = 10_000

/**
 * A cluster for a command that runs once. It does not wait for an API server that is away.
 * @throws {UsageError} when the kubeconfig is unusable or nothing answers
 */
export async function connect ({ kubeconfig, context }: { kubeconfig: string, context?: string }) {
  const client = await open(kubeconfig, context)
  const cluster = new LiveCluster({ client, log: pino({ level: 'silent' }) })
  const late = AbortSignal.timeout(patience)
  const installed = await cluster.crdInstalled(late)
  if (installed.state === 'unknown') throw new UsageError(`--kubeconfig ${kubeconfig}: ${installed.reason}`)
  await cluster.start()
  const find = async (path: string, resource: string) => await findObject(client, path, { timeoutMs: patience })
    .catch((error: unknown) => { throw new UsageError(`--kubeconfig ${kubeconfig}: ${failureReason(error, `get ${resource}`)}`) })
  return {
    cluster,
    existing: async (namespace: string, name: string): Promise<unknown> =>
      await find(resourcePath({ group, version: apiVersion, resource: plural }, { namespace, name }), plural),
    read: (async (kind, namespace, name) =>
      await find(resourcePath(kinds[kind], { namespace, name }), kinds[kind].resource)) satisfies ReadObject,
    close: async () => {
      await cluster.stop()
      client.close()
    },
  }
}

/** @throws {UsageError} when the kubeconfig is unusable */
export async function open (file: string, context: string | undefined): Promise<ApiClient> {
  try {
    const connection = await loadConnection({ file, ...(context ? { context } : {}) })
    return new ApiClient({ connection, userAgent })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
