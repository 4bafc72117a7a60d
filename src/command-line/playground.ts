import type { Logger } from 'pino'
import { isMeantAsDittoServer } from '../check/kind.ts'
import type { ApiClient } from '../cluster/api-client.ts'
import { failureReason } from '../cluster/failure-reason.ts'
import { findObject } from '../cluster/find-object.ts'
import { kinds, objectPath, type Kind } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { isNamespaceName, isObjectName } from '../cluster/object-name.ts'
import { resourcePath } from '../cluster/resource-path.ts'
import type { DittoServerStatus } from '../dittoserver/schema.ts'
import type { LiveServer } from '../playground/contract.ts'
import { ReviewFeed } from '../playground/review-feed.ts'
import { startPlayground, type Playground } from '../playground/start.ts'
import { UnreadableCluster } from '../playground/surroundings.ts'
import type { ReadObject } from '../render/offline.ts'
import type { Policy } from '../rules/policy.ts'
import type { Backend } from './backend.ts'
import type { EmbeddedObjects } from './embedded-objects.ts'

export interface PlaygroundContext {
  readonly log: Logger
  readonly policy: Policy
  readonly backend: Backend
  readonly watchNamespace: string | undefined
}

/** The playground of a server. Its reviews are collected from the start; its page is served later, when the cluster is known. */
export function playground ({ log, policy, backend, watchNamespace }: PlaygroundContext) {
  const reviews = new ReviewFeed()
  return {
    onReview: reviews.record,
    /** `isAnyPort`: another port will do if this one is in use. Rejects if no port can be used. */
    start: async (port: number, isAnyPort: boolean, objects: EmbeddedObjects | undefined): Promise<Playground> => {
      const { client, cluster } = backend
      const source = client ? liveSource(client, watchNamespace) : await embeddedSource(backend, objects)
      const options = { log, policy, cluster, reviews, ...source }
      const started = await startPlayground({ ...options, port }).catch(async (error: unknown) => {
        if (!isAnyPort || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
        return await startPlayground({ ...options, port: 0 })
      })
      log.info({ port: started.port }, 'the playground is served')
      return started
    },
  }
}

interface Source { readonly read: ReadObject, readonly servers: () => Promise<readonly LiveServer[]> }

/** Milliseconds. A person waits for the answer. */
const patience = 5_000
/** A page shows no more than this. */
const mostServers = 500

function liveSource (client: ApiClient, namespace: string | undefined): Source {
  return {
    read: async (kind, where, name) => {
      const { only, resource }: Kind = kinds[kind]
      // No object can have this name, and an empty name would be the path of a list.
      if (!isObjectName(name) || (only === undefined && !isNamespaceName(where))) return undefined
      return await findObject(client, objectPath(kind, { namespace: where, name }), { timeoutMs: patience })
        .catch((error: unknown) => { throw new UnreadableCluster(failureReason(error, `get ${resource}`)) })
    },
    servers: async () => {
      const { items } = await client.request<{ items: readonly KubernetesObject[] }>({
        verb: 'list', method: 'GET', path: resourcePath(kinds.DittoServer, namespace === undefined ? {} : { namespace }), query: { limit: mostServers }, timeoutMs: patience,
      })
      return items.map(stateOf)
    },
  }
}

function stateOf ({ metadata: { namespace = '', name }, status }: KubernetesObject): LiveServer {
  const { phase = 'Unknown', conditions = [] } = (status ?? {}) as Partial<DittoServerStatus>
  const ready = conditions.find(({ type }) => type === 'Ready')
  return { namespace, name, phase, isReady: ready?.status === 'True', message: ready?.message ?? 'The operator has not reported yet.' }
}

/** Loaded only here: what reads YAML is a tenth of what a process in a cluster would have in memory. */
async function embeddedSource ({ manifests }: Backend, objects: EmbeddedObjects | undefined): Promise<Source> {
  const { readFrom } = await import('../embedded/read-object.ts')
  return {
    read: readFrom(manifests),
    servers: async () => manifests().filter(isMeantAsDittoServer).map(manifest => {
      const { objects: made = [], refused } = objects?.renderings.find(rendering => rendering.manifest === manifest) ?? {}
      const { namespace, name } = manifest
      return refused === undefined
        ? { namespace, name, phase: 'Rendered', isReady: true, message: `${made.length} objects would be created.` }
        : { namespace, name, phase: 'Refused', isReady: false, message: refused }
    }),
  }
}
