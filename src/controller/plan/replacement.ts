import type { KindName } from '../../cluster/kinds.ts'
import type { KubernetesObject } from '../../cluster/kubernetes-object.ts'
import { templatesOf } from '../../render/inputs.ts'
import { labels, podName } from '../../render/names.ts'
import { claimNames } from '../../render/volumes.ts'
import { withDigest } from '../applied-digest.ts'
import { present, type Observed } from '../observed.ts'
import type { Patch, Step } from '../step.ts'

// A change that no update can make needs a new object with the same name. Each step is derived from the existing objects. So if a process
// ends between two steps, the next process continues.

/** A dry run first verifies that the API server accepts the new object: what is deleted must be recreatable. */
const rehearse = (kind: KindName, object: KubernetesObject): Step => ({ do: 'rehearse', kind, name: object.metadata.name, object })

/** Objects without data and without a pod. */
const replaceable = ['Service', 'ConfigMap', 'Secret'] as const
export type Replaceable = typeof replaceable[number]
export const isReplaceable = (kind: KindName): kind is Replaceable => replaceable.some(each => each === kind)

/** Deleted and recreated within one pass. */
export function replace (kind: Replaceable, wanted: KubernetesObject, { metadata: { name, uid = '' } }: KubernetesObject): Step[] {
  return [
    rehearse(kind, wanted),
    { do: 'delete', kind, name, uid, propagation: 'Background' },
    { do: 'create', kind, name, object: wanted },
  ]
}

/**
 * Deletes a StatefulSet without its pod and its claims. A later pass recreates it around them, when the watch shows that the old one is
 * deleted. Claims are never deleted with it.
 */
export function replaceStatefulSet (observed: Observed, wanted: KubernetesObject, current: KubernetesObject): Step[] {
  const { metadata: { name, uid = '', resourceVersion = '' } } = current
  const first = keepClaims(observed, current) ?? stopPod(observed, wanted, current) ?? watched(observed, current)
  if (first) return [...first]
  return [
    rehearse('StatefulSet', withDigest(wanted)),
    // Only the version that was read: a `kubectl rollout restart` at this moment must not be lost.
    { do: 'delete', kind: 'StatefulSet', name, uid, resourceVersion, propagation: 'Orphan' },
  ]
}

interface Spec {
  readonly replicas?: number
  readonly selector?: { readonly matchLabels?: Labels }
  readonly persistentVolumeClaimRetentionPolicy?: { readonly whenDeleted?: string, readonly whenScaled?: string }
}
type Labels = Readonly<Record<string, string>>

const specOf = ({ spec }: KubernetesObject) => (spec ?? {}) as Spec
const retain = { whenDeleted: 'Retain', whenScaled: 'Retain' }

/** With our labels, the watch shows the result. */
const patch = ({ metadata: { name, uid, resourceVersion } }: KubernetesObject, change: object, ours?: Labels): Patch =>
  ({ do: 'patch', kind: 'StatefulSet', name, patch: { metadata: { uid, resourceVersion, ...(ours ? { labels: ours } : {}) }, ...change } })

/** Claims that would be deleted with their StatefulSet have it as their owner. Undefined: there are none. */
function keepClaims (observed: Observed, current: KubernetesObject): Step[] | undefined {
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } = specOf(current).persistentVolumeClaimRetentionPolicy ?? {}
  if (whenDeleted !== 'Retain' || whenScaled !== 'Retain') return [patch(current, { spec: { persistentVolumeClaimRetentionPolicy: retain } })]
  const claims = claimNames(observed.server.metadata.name).map(name => present(observed, 'PersistentVolumeClaim', name))
  // The StatefulSet controller removes the owner reference; the watch on claims shows this.
  return claims.some(claim => claim?.metadata.ownerReferences?.some(({ uid }) => uid === current.metadata.uid)) ? [] : undefined
}

/**
 * A pod that the new selector does not match would block the new pod, which has the same name. A pod that does not have a volume of the new
 * templates cannot be updated, and its StatefulSet would retry forever. Undefined: the pod can stay.
 */
function stopPod (observed: Observed, wanted: KubernetesObject, current: KubernetesObject): Step[] | undefined {
  const pod = present(observed, 'Pod', podName(observed.server.metadata.name))
  if (!hasMoreTemplates(wanted, current) && mayBeAdopted(pod, wanted, current)) return undefined
  const { replicas: asked = 1 } = specOf(current)
  if (asked > 0) return [patch(current, { spec: { replicas: 0 } }, labels(observed.server.metadata.name))]
  const { replicas = 0, observedGeneration = 0 } = (current.status ?? {}) as { replicas?: number, observedGeneration?: number }
  return replicas > 0 || observedGeneration < (current.metadata.generation ?? 0) ? [] : undefined
}

function mayBeAdopted (pod: KubernetesObject | undefined, wanted: KubernetesObject, current: KubernetesObject): boolean {
  const selector = specOf(wanted).selector?.matchLabels ?? {}
  return hasLabels(specOf(current).selector?.matchLabels, selector) || (pod !== undefined && hasLabels(pod.metadata.labels, selector))
}

function hasMoreTemplates (wanted: KubernetesObject, current: KubernetesObject): boolean {
  const has = templatesOf(current) ?? []
  return (templatesOf(wanted) ?? []).some(({ metadata: { name } }) => !has.some(({ metadata }) => metadata.name === name))
}

/**
 * An object from another operator does not have the labels by which it is watched, so its deletion would not be noticed.
 * Undefined: it has them.
 */
function watched ({ server }: Observed, current: KubernetesObject): Step[] | undefined {
  const ours = labels(server.metadata.name)
  return hasLabels(current.metadata.labels, ours) ? undefined : [patch(current, {}, ours)]
}

const hasLabels = (found: Labels = {}, wanted: Labels) => Object.entries(wanted).every(([key, value]) => found[key] === value)
