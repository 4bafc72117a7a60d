import type { KubernetesObject } from '../../cluster/kubernetes-object.ts'
import { finalizer } from '../../dittoserver/api.ts'
import { readDittoServer, type DittoServer } from '../../dittoserver/dittoserver.ts'
import { childNames } from '../../render/names.ts'
import type { Occurrence } from '../events.ts'
import { known, type Observed } from '../observed.ts'
import type { Step } from '../step.ts'
import { withoutOwner } from './database-protection.ts'
import { isCollected, isOurDatabase } from './ownership.ts'
import { dataStaysNote, deletedNote, isDeletedWithoutData, withItsData } from './percona-deletion.ts'
import { nothing, type Part } from './part.ts'

/**
 * Removes the finalizer of a deleted server after its PostgreSQL cluster is handled: the cluster is kept without an owner reference, or
 * deleted if the spec requests it. The server and the cluster are read again first, because `deleteWithServer` may have changed just
 * before. All other objects have owner references and are garbage-collected.
 */
export function deletion (observed: Observed): Part {
  const { name, deletionTimestamp, finalizers } = observed.server.metadata
  if (!deletionTimestamp) return nothing
  const done: Part = { steps: [], stop: { why: 'deleting' } }
  // The event is recorded before anything is deleted.
  if (!finalizers.includes(finalizer) || observed.server.status?.phase !== 'Deleting') return done
  const cluster = { kind: 'PerconaPGCluster', name: childNames(name).perconaCluster } as const
  const [server, database] = [known(observed, 'DittoServer', name), known(observed, cluster.kind, cluster.name)]
  if (!isRead(server)) return { steps: [], asks: [{ kind: 'DittoServer', name }, ...(observed.perconaServed ? [cluster] : [])] }
  for (const found of [server, database]) if (found.state === 'unknown') return { steps: [], stop: { why: 'failed', message: found.reason } }
  if (server.state !== 'present' || server.object.metadata.uid !== observed.server.metadata.uid) return done
  const released = (warning?: Occurrence) => releaseSteps(server.object, warning)
  if (database.state !== 'present') return { ...done, steps: released() }
  const isWanted = goesAlong(readDittoServer(server.object).server, database.object)
  const steps = isWanted ? deleteDatabase(database.object) : leaveDatabase(observed, database.object)
  return { ...done, steps: [...steps, ...released(isWanted ? warningOf(database.object) : undefined)] }
}

type Found = ReturnType<typeof known>

const isRead = (found: Found) => found.state === 'absent' || found.state === 'unknown' || (found.state === 'present' && found.read === true)

/** Deletes the cluster with its data. */
function deleteDatabase (cluster: KubernetesObject): Step[] {
  const { name, uid = '' } = cluster.metadata
  const patch = withItsData(cluster)
  const event = { type: 'Warning', reason: 'PerconaDeleted', action: 'Delete', note: deletedNote(name) } as const
  return patch
    ? [{ do: 'patch', kind: 'PerconaPGCluster', name, patch }, { do: 'delete', kind: 'PerconaPGCluster', name, uid, propagation: 'Background', event }]
    : []
}

/** Keeps the cluster, without an owner reference. */
function leaveDatabase (observed: Observed, cluster: KubernetesObject): Step[] {
  if (!isCollected(observed.server, cluster)) return []
  const note = `PostgreSQL cluster ${cluster.metadata.name} is kept with its data`
  return [{ ...withoutOwner(observed, cluster), event: { type: 'Normal', reason: 'PerconaOrphaned', action: 'Preserve', note } }]
}

const goesAlong = (server: DittoServer, cluster: KubernetesObject): boolean =>
  server.spec.percona.enabled && server.spec.percona.deleteWithServer && isOurDatabase(server, cluster)

/** The event is part of the last step, because no other step is left. */
const warningOf = (cluster: KubernetesObject): Occurrence | undefined => isDeletedWithoutData(cluster)
  ? { type: 'Warning', reason: 'PerconaDataStays', action: 'Delete', note: dataStaysNote(cluster.metadata.name) }
  : undefined

function releaseSteps ({ metadata: { name, resourceVersion, finalizers = [] } }: Observed['object'], event: Occurrence | undefined): Step[] {
  if (!finalizers.includes(finalizer)) return []
  const others = finalizers.filter(entry => entry !== finalizer)
  const patch = { metadata: { resourceVersion, finalizers: others } }
  return [{ do: 'patch', kind: 'DittoServer', name, patch, ...(event ? { event } : {}) }]
}
