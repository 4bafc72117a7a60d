import type { KubernetesObject } from '../../cluster/kubernetes-object.ts'
import type { DittoServer } from '../../dittoserver/dittoserver.ts'
import { childNames } from '../../render/names.ts'
import { present, type Observed } from '../observed.ts'
import { isPerconaClusterOf } from '../percona-state.ts'

/** Whether the server is the controller of the object. */
export const isOwned = ({ metadata: { uid } }: DittoServer, { metadata: { ownerReferences = [] } }: KubernetesObject): boolean =>
  ownerReferences.some(owner => owner.controller === true && owner.uid === uid)

/**
 * The StatefulSet of the server. A StatefulSet with the same name that does not belong to the server is ignored, and its changes do not
 * enqueue the server.
 */
export function ownStatefulSet (observed: Observed): KubernetesObject | undefined {
  const found = present(observed, 'StatefulSet', childNames(observed.server.metadata.name).statefulSet)
  return found && isOwned(observed.server, found) ? found : undefined
}

/** Whether the object would be garbage-collected with the server. */
export const isCollected = ({ metadata: { uid } }: DittoServer, { metadata: { ownerReferences = [] } }: KubernetesObject): boolean =>
  ownerReferences.some(owner => owner.uid === uid)

/**
 * A database cluster outlives its server, so its labels identify it. A cluster from another operator has the server as its controller
 * instead.
 */
export const isOurDatabase = (server: DittoServer, cluster: KubernetesObject): boolean =>
  hasOurLabels(server, cluster) || isOwned(server, cluster)

export const hasOurLabels = (server: DittoServer, cluster: KubernetesObject): boolean => isPerconaClusterOf(server)(cluster)
