import { appliedDigest } from '../applied-digest.ts'
import { present, type Observed } from '../observed.ts'

/**
 * Whether objects of this server may exist without our labels, so that no watch shows them. This is the case if another operator created
 * the server, and its StatefulSet does not have our applied configuration yet. A server without a status is new.
 */
export function mayBeTakenOver (observed: Observed): boolean {
  const { metadata: { name }, status } = observed.server
  const statefulSet = present(observed, 'StatefulSet', name)
  return status !== undefined && (!statefulSet || appliedDigest(statefulSet) === undefined)
}
