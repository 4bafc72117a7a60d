import { kinds, type KindName } from '../../cluster/kinds.ts'
import type { KubernetesObject } from '../../cluster/kubernetes-object.ts'
import { appliedDigest, withDigest } from '../applied-digest.ts'
import { managersToAbsorb } from '../field-managers.ts'
import { known, type Observed } from '../observed.ts'
import type { Delete, Step } from '../step.ts'
import { contains, overgrown } from './contains.ts'
import { immutableDifferences } from './immutable-fields.ts'
import { isOwned } from './ownership.ts'
import { isReplaceable, replace } from './replacement.ts'
import { withoutSourceRanges } from './service-type.ts'

/** An object that does not belong to the server has the name of a rendered one. It is never adopted. */
export interface Foreign { readonly kind: string, readonly name: string }

export interface Settled {
  readonly steps: readonly Step[]
  readonly foreign?: Foreign
  readonly unknown?: string
}

/** The steps that change a child of the server to the rendered state. Empty if it already matches. */
export function settle (observed: Observed, kind: KindName, rendered: KubernetesObject): Settled {
  const { name } = rendered.metadata
  const found = known(observed, kind, name)
  const wanted = withDigest(rendered)
  switch (found.state) {
    case 'unknown': return { steps: [], unknown: `${rendered.kind} ${name} cannot be read: ${found.reason}` }
    case 'absent':
    case 'unlisted': return { steps: [{ do: 'create', kind, name, object: wanted }] }
    case 'present': return isOwned(observed.server, found.object)
      ? { steps: update(kind, wanted, found.object) }
      : { steps: [], foreign: { kind: rendered.kind, name } }
  }
}

/** The steps from an existing object to the rendered one. */
export function update (kind: KindName, wanted: KubernetesObject, current: KubernetesObject): readonly Step[] {
  // An object that is being deleted accepts no changes; the watch shows when it is deleted.
  if (current.metadata.deletionTimestamp !== undefined || isAsWanted(kind, wanted, current)) return []
  if (isReplaceable(kind) && immutableDifferences(current, wanted).length > 0) return replace(kind, wanted, current)
  const { name, uid = '', resourceVersion } = current.metadata
  const apply: Step = { do: 'apply', kind, name, object: wanted, uid, absorb: managersToAbsorb(current) }
  const change = obstacles(wanted, current)
  if (!change) return [apply]
  // The API server records the patched fields as an update by our field manager. The next apply takes them over.
  return [{ do: 'patch', kind, name, patch: { metadata: { uid, resourceVersion }, ...change } }]
}

/** Entries of other clients that no apply removes, as a merge patch that removes them. */
function obstacles (wanted: KubernetesObject, current: KubernetesObject): object | undefined {
  const lists = overgrown(withoutMetadata(wanted), current)
  const ranges = withoutSourceRanges(wanted, current)
  return ranges ? { ...lists, spec: { ...(lists as { spec?: object } | undefined)?.spec, ...ranges } } : lists
}

const withoutMetadata = ({ metadata: _, ...rest }: KubernetesObject) => rest

function isAsWanted (kind: KindName, wanted: KubernetesObject, current: KubernetesObject): boolean {
  if (appliedDigest(current) !== appliedDigest(wanted)) return false
  // For a Secret only the metadata is known. A change of its data changes its version: see secrets.ts.
  return kinds[kind].watch === 'metadata' || contains(wanted, current)
}

/** Deletes an object that is no longer rendered, if it belongs to the server. */
export function remove (observed: Observed, kind: KindName, name: string): readonly Delete[] {
  const found = known(observed, kind, name)
  if (found.state !== 'present' || !isOwned(observed.server, found.object)) return []
  const { uid = '', deletionTimestamp } = found.object.metadata
  return deletionTimestamp === undefined ? [{ do: 'delete', kind, name, uid, propagation: 'Background' }] : []
}
