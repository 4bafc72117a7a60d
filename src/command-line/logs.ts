import { ApiError } from '../cluster/api-error.ts'
import { failureReason } from '../cluster/failure-reason.ts'
import { kinds } from '../cluster/kinds.ts'
import { isNamespaceName, isObjectName } from '../cluster/object-name.ts'
import { resourcePath } from '../cluster/resource-path.ts'
import { parseGoDuration } from '../dittoserver/go-duration.ts'
import { quote } from '../dittoserver/quote.ts'
import { defaultNamespace } from '../embedded/manifests.ts'
import { podName } from '../render/names.ts'
import { serverContainer } from '../render/pod.ts'
import { UsageError } from './fault.ts'
import { open, type ClusterOptions } from './live.ts'
import type { Terminal } from './terminal.ts'

export interface LogsOptions extends ClusterOptions {
  readonly namespace?: string
  readonly container?: string
  readonly follow?: true
  readonly previous?: true
  readonly since?: string
  readonly tail?: number
  readonly timestamps?: true
}

/** Prints the log of the pod of a server. Resolves with the exit code: 1 if the API server has none. @throws {UsageError} */
export async function logs (name: string, options: LogsOptions, { print, say }: Terminal): Promise<number> {
  const { client, namespace: ofContext } = await open(options)
  const namespace = options.namespace ?? ofContext ?? defaultNamespace
  const query = queryOf(options)
  if (!isObjectName(name) || !isNamespaceName(namespace)) throw new UsageError(`${quote(name)} in ${quote(namespace)} is not the name of a server`)
  try {
    const path = resourcePath(kinds.Pod, { namespace, name: podName(name), subresource: 'log' })
    const reply = await client.open({ verb: 'get', method: 'GET', path, query, accept: '*/*', signal: new AbortController().signal })
    const decoder = new TextDecoder()
    for await (const chunk of reply) print(decoder.decode(chunk, { stream: true }))
    print(decoder.decode())
    return 0
  } catch (error) {
    // The API server says best what is missing: the pod, the container, or an earlier one.
    say(error instanceof ApiError ? error.message : failureReason(error, 'get pods/log'))
    return 1
  } finally {
    client.close()
  }
}

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod @throws {UsageError} */
function queryOf ({ container = serverContainer, follow, previous, since, tail, timestamps }: LogsOptions) {
  const milliseconds = since === undefined ? undefined : parseGoDuration(since)
  if (since !== undefined && (milliseconds === undefined || milliseconds <= 0)) throw new UsageError(`--since ${quote(since)} is not a duration such as 10m`)
  return {
    container,
    follow,
    previous,
    timestamps,
    ...milliseconds === undefined ? {} : { sinceSeconds: Math.max(1, Math.round(milliseconds / 1000)) },
    ...tail === undefined ? {} : { tailLines: tail },
  }
}
