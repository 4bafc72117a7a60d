import type { ApiClient } from '../cluster/api-client.ts'
import { mergePatchRequest } from '../cluster/api-requests.ts'
import { hasStatus } from '../cluster/api-error.ts'
import { kinds } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { resourcePath } from '../cluster/resource-path.ts'
import { fieldManager, finalizer } from '../dittoserver/api.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
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
 * for. Whatever fails is tried again; the finalizer is never removed by force. All else has owner references, and is collected.
 */
export async function finalize (
  server: DittoServer, clusters: readonly KubernetesObject[], context: FinalizeContext,
): Promise<Occurrence[]> {
  if (!server.metadata.finalizers.includes(finalizer)) return []
  const { client, live, applier, signal, fence } = context
  const { uid } = server.metadata
  const occurrences: Occurrence[] = []
  const { enabled, deleteWithServer } = server.spec.percona
  for (const cluster of clusters) {
    const { namespace = '', name, ownerReferences = [] } = cluster.metadata
    if (enabled && deleteWithServer) {
      await applier.remove('PerconaPGCluster', cluster, { isOurs: () => true, signal, fence })
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
  const { namespace, name } = server.metadata
  const latest = await live.read('DittoServer', namespace, name, signal)
  if (!latest || latest.metadata.uid !== uid) return occurrences
  const others = (latest.metadata.finalizers ?? []).filter(entry => entry !== finalizer)
  try {
    await patchFinalizers(latest, server, others, context)
  } catch (error) {
    if (!hasStatus(error, 404)) throw error
  }
  return occurrences
}
