import type { ApiClient } from '../cluster/api-client.ts'
import { mergePatchRequest } from '../cluster/api-requests.ts'
import { hasStatus } from '../cluster/api-error.ts'
import { kinds } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { resourcePath } from '../cluster/resource-path.ts'
import { fieldManager, finalizer } from '../dittoserver/api.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { labels } from '../render/names.ts'
import type { Applier } from './apply.ts'
import type { LiveObjects } from './live-objects.ts'
import type { Occurrence } from './events.ts'

export interface FinalizeContext {
  readonly client: ApiClient
  readonly live: LiveObjects
  readonly applier: Applier
  readonly signal: AbortSignal
  readonly fence: () => void
}

const serverPath = ({ metadata: { namespace, name } }: DittoServer, subresource?: string) =>
  resourcePath(kinds.DittoServer, { namespace, name, ...(subresource ? { subresource } : {}) })

/** Changes metadata only if nobody has since; somebody else's finalizers are not to be lost. */
async function patchFinalizers (
  object: KubernetesObject, server: DittoServer, finalizers: readonly string[], context: FinalizeContext,
): Promise<KubernetesObject> {
  const { client, live, signal, fence } = context
  fence()
  const patch = { metadata: { resourceVersion: object.metadata.resourceVersion, finalizers } }
  const reply = await client.request<KubernetesObject>({ ...mergePatchRequest(serverPath(server), patch, fieldManager), signal })
  return live.wrote('DittoServer', reply)
}

/** Nothing is made before this is there: it is what lets a deletion wait for us. */
export async function ensureFinalizer (object: KubernetesObject, server: DittoServer, context: FinalizeContext): Promise<boolean> {
  if (server.metadata.finalizers.includes(finalizer)) return false
  await patchFinalizers(object, server, [...server.metadata.finalizers, finalizer], context)
  return true
}

/**
 * Lets a deleted server go, once its PostgreSQL data is safe: left behind without an owner, or deleted where that was asked
 * for. `object` is what the API server says now: the wish may have changed at the last moment. Whatever fails is tried again;
 * the finalizer is never removed by force. All else has owner references, and is collected.
 */
export async function finalize (
  object: KubernetesObject, server: DittoServer, clusters: readonly KubernetesObject[], context: FinalizeContext,
): Promise<Occurrence[]> {
  const { client, live, applier, signal, fence } = context
  const { uid, name: serverName } = server.metadata
  const isOurs = ({ metadata }: KubernetesObject) =>
    Object.entries(labels(serverName)).every(([key, value]) => metadata.labels?.[key] === value)
  const occurrences: Occurrence[] = []
  const { enabled, deleteWithServer } = server.spec.percona
  for (const cluster of clusters) {
    const { namespace = '', name, ownerReferences = [] } = cluster.metadata
    if (enabled && deleteWithServer && isOurs(cluster)) {
      await applier.remove('PerconaPGCluster', cluster, { isOurs, signal, fence })
      const note = `PostgreSQL cluster ${name} is deleted: percona.deleteWithServer is true`
      occurrences.push({ type: 'Warning', reason: 'PerconaDeleted', action: 'Delete', note })
    } else if (ownerReferences.some(owner => owner.uid === uid)) {
      fence()
      const patch = { metadata: { ownerReferences: ownerReferences.filter(owner => owner.uid !== uid) } }
      const path = resourcePath(kinds.PerconaPGCluster, { namespace, name })
      live.wrote('PerconaPGCluster', await client.request<KubernetesObject>({ ...mergePatchRequest(path, patch, fieldManager), signal }))
      const note = `PostgreSQL cluster ${name} is left behind, with its data`
      occurrences.push({ type: 'Normal', reason: 'PerconaOrphaned', action: 'Preserve', note })
    }
  }
  try {
    await patchFinalizers(object, server, server.metadata.finalizers.filter(entry => entry !== finalizer), context)
  } catch (error) {
    if (!hasStatus(error, 404)) throw error
  }
  return occurrences
}
