import type { KubernetesObject } from '../../cluster/kubernetes-object.ts'
import { childNames, labels } from '../../render/names.ts'
import { absorb } from '../field-managers.ts'
import { known, present, type Observed } from '../observed.ts'
import type { Patch } from '../step.ts'
import { hasOurLabels, isCollected, isOwned } from './ownership.ts'
import { nothing, type Part } from './part.ts'
import { mayBeTakenOver } from './takeover.ts'

/**
 * A database cluster that must not be deleted with the server must not have an owner reference, because the garbage collector deletes
 * objects with an owner. This step runs before the spec is checked, so that a refused spec cannot keep the owner reference.
 */
export function databaseProtection (observed: Observed): Part {
  const { server, perconaServed } = observed
  const { enabled, deleteWithServer } = server.spec.percona
  const name = childNames(server.metadata.name).perconaCluster
  const mayExist = enabled || mayBeTakenOver(observed)
  if (mayExist && perconaServed && known(observed, 'PerconaPGCluster', name).state === 'unlisted') {
    return { steps: [], asks: [{ kind: 'PerconaPGCluster', name }] }
  }
  const cluster = present(observed, 'PerconaPGCluster', name)
  if (!cluster || (enabled && deleteWithServer) || !isCollected(server, cluster)) return nothing
  // Later steps are planned for the resource version that results from this step.
  return { steps: [withoutOwner(observed, cluster)], stop: { why: 'continues' } }
}

/**
 * If only the owner reference identified the server, our labels replace it. In the same step, the fields of the cluster's creator become
 * ours, because without the owner reference the creator could not be identified any more.
 */
export function withoutOwner ({ server }: Observed, cluster: KubernetesObject): Patch {
  const { name, resourceVersion, ownerReferences = [] } = cluster.metadata
  const others = ownerReferences.filter(({ uid }) => uid !== server.metadata.uid)
  const managedFields = isOwned(server, cluster) && !hasOurLabels(server, cluster) ? absorb(cluster) : undefined
  const adopted = isOwned(server, cluster) ? { labels: labels(server.metadata.name), ...(managedFields ? { managedFields } : {}) } : {}
  return { do: 'patch', kind: 'PerconaPGCluster', name, patch: { metadata: { resourceVersion, ownerReferences: others, ...adopted } } }
}
