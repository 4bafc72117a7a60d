import { setTimeout as delay } from 'node:timers/promises'
import { systemClock } from '../clock.ts'
import type { ApiClient } from '../cluster/api-client.ts'
import { ApiError } from '../cluster/api-error.ts'
import { mergePatchRequest } from '../cluster/api-requests.ts'
import { withDeadline } from '../cluster/deadline.ts'
import { failureReason } from '../cluster/failure-reason.ts'
import { objectPath } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { isOwned } from '../controller/plan/ownership.ts'
import { isReady } from '../controller/pod-state.ts'
import { parseGoDuration } from '../dittoserver/go-duration.ts'
import { quote } from '../dittoserver/quote.ts'
import { defaultNamespace } from '../embedded/manifests.ts'
import { restartAnnotations, restartedAtAnnotation } from '../render/inputs.ts'
import { childNames, podName } from '../render/names.ts'
import { factsOf, type Facts } from '../status/facts.ts'
import { listOnce, watchListing, type Listing, type Scope } from '../status/listing.ts'
import { serverTree } from '../status/server-tree.ts'
import { StartUpError, UsageError } from './fault.ts'
import { onInterrupt } from './interrupt.ts'
import { open, patience, type ClusterOptions } from './live.ts'
import type { Terminal } from './terminal.ts'

export interface RestartOptions extends ClusterOptions {
  readonly namespace?: string
  readonly reason: string
  readonly wait?: true
  readonly timeout: string
}

/** Characters. An annotation may be longer, but `kubectl describe` shows it in one line. */
const longestReason = 500

/**
 * Restarts the pod of a server as `kubectl rollout restart` does: by annotations of the pod template. Resolves with the exit code: 1 if it
 * is not ready again in time. @throws {UsageError} @throws {StartUpError}
 */
export async function restart (name: string, options: RestartOptions, { print, say }: Terminal): Promise<number> {
  const { reason, wait, timeout } = options
  const milliseconds = parseGoDuration(timeout)
  if (milliseconds === undefined || milliseconds <= 0) throw new UsageError(`--timeout ${quote(timeout)} is not a duration such as 5m`)
  if (reason.trim() === '' || reason.length > longestReason) throw new UsageError(`--reason must be 1 to ${longestReason} characters long`)
  const { client, namespace: ofContext } = await open(options)
  const scope = { name, namespace: options.namespace ?? ofContext ?? defaultNamespace }
  try {
    const at = new Date().toISOString()
    await annotate(client, scope, restartAnnotations(at, reason.trim()))
    print(`dittoserver ${scope.namespace}/${name} restarted: ${reason.trim()}\n`)
    if (!wait) return 0
    const trouble = await isBack(client, scope, { at, milliseconds, say })
    if (trouble === undefined) print(`dittoserver ${scope.namespace}/${name} is ready again\n`)
    else say(`dittoserver ${scope.namespace}/${name} is not ready after ${timeout}: ${trouble}`)
    return trouble === undefined ? 0 : 1
  } finally {
    client.close()
  }
}

type One = Required<{ readonly [Key in keyof Scope]: string }>

/** @throws {UsageError} if nothing can be restarted. @throws {StartUpError} if the API server refuses */
async function annotate (client: ApiClient, scope: One, annotations: Readonly<Record<string, string>>): Promise<void> {
  const current = statefulSetOf(await listOnce(client, scope, AbortSignal.timeout(patience)), scope)
  const patch = { metadata: { uid: current.metadata.uid }, spec: { template: { metadata: { annotations } } } }
  const path = objectPath('StatefulSet', { namespace: scope.namespace, name: current.metadata.name })
  await client.request({ ...mergePatchRequest(path, patch, 'kubectl-dittofs'), timeoutMs: patience }).catch((error: unknown) => {
    throw new StartUpError(error instanceof ApiError ? error.message : failureReason(error, 'patch statefulsets'))
  })
}

function statefulSetOf (listing: Listing, { namespace, name }: One): KubernetesObject {
  const what = `DittoServer '${name}' in the namespace '${namespace}'`
  const servers = listing.get('DittoServer')
  if (servers?.state === 'unknown') throw new UsageError(`the DittoServers cannot be listed: ${servers.reason}`)
  const facts = factsOf(listing, new Date())[0]
  if (!facts) throw new UsageError(`there is no ${what}`)
  const found = facts.find('StatefulSet', childNames(name).statefulSet)
  if (found.state === 'unknown') throw new UsageError(`the StatefulSet of the ${what} cannot be read: ${found.reason}`)
  if (found.state !== 'present' || !isOwned(facts.server, found.object)) throw new UsageError(`the ${what} has no StatefulSet: it has not been started yet`)
  if (facts.server.spec.replicas === 0) throw new UsageError(`the ${what} is stopped: spec.replicas is 0`)
  return found.object
}

interface Waiting { readonly at: string, readonly milliseconds: number, readonly say: (line: string) => void }

/** Waits until the new pod is ready, and the operator says so. Undefined: it is. Otherwise what is missing. */
async function isBack (client: ApiClient, scope: One, { at, milliseconds, say }: Waiting): Promise<string | undefined> {
  const interrupt = onInterrupt()
  let wake = Promise.withResolvers<void>()
  const watched = watchListing(client, scope, () => { wake.resolve() })
  let missing: string | undefined = 'nothing is known yet'
  try {
    await withDeadline(systemClock, milliseconds, interrupt.signal, async signal => {
      signal.addEventListener('abort', () => { wake.resolve() }, { once: true })
      void watched.start()
      while (!signal.aborted) {
        wake = Promise.withResolvers<void>()
        const facts = factsOf(watched.listing(), new Date())[0]
        const now = facts && missingOf(facts, at)
        if (facts && now === undefined) {
          missing = undefined
          return
        }
        if (now !== undefined && now !== missing) say(`waiting: ${now}`)
        missing = now ?? missing
        await wake.promise
        await delay(100)
      }
    }).catch(() => {}) // what is missing is the answer
    return missing
  } finally {
    interrupt.off()
    await watched.stop()
  }
}

/** What is missing until a restart is over. Pure. */
export function missingOf (facts: Facts, at: string): string | undefined {
  const pod = facts.find('Pod', podName(facts.server.metadata.name))
  if (pod.state !== 'present') return 'the pod does not exist'
  if (pod.object.metadata.annotations?.[restartedAtAnnotation] !== at) return 'the old pod ends'
  const { ready, concerns } = serverTree(facts)
  if (isReady(pod.object) && ready) return undefined
  const [first] = concerns
  return first ? `${first.subject}: ${first.message}` : 'the operator has not seen that the pod is ready'
}
