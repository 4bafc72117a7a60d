import type { KindName } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { group, kind as dittoServerKind } from '../dittoserver/api.ts'
import { withoutFieldSets } from './field-managers.ts'
import { trimPod } from './pod-state.ts'

/** The part of an object that the cache keeps: only what the loop reads. */
export function cachedForm (kind: KindName, object: KubernetesObject): KubernetesObject {
  if (kind === 'Secret') return secretForm(object)
  if (kind === 'Pod') return trimPod(object)
  // The field managers decide which fields we must not change.
  return kind === 'PerconaPGCluster' ? object : withoutFieldSets(object)
}

/**
 * For a Secret, only its identity and our own annotations are kept: `kubectl apply` copies all values into an annotation, and most Secrets
 * do not concern any server.
 */
function secretForm ({ apiVersion, kind, metadata }: KubernetesObject): KubernetesObject {
  const { name, namespace, uid, resourceVersion, deletionTimestamp, annotations = {}, ownerReferences = [], managedFields } = metadata
  const ours = Object.entries(annotations).filter(([key]) => key.startsWith(`${group}/`))
  const isOwned = ownerReferences.some(owner => owner.kind === dittoServerKind)
  return withoutFieldSets({
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      ...(ours.length > 0 ? { annotations: Object.fromEntries(ours) } : {}),
      ...(isOwned ? { ownerReferences, ...(managedFields === undefined ? {} : { managedFields }) } : {}),
    },
  })
}
