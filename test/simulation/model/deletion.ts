import { conflict } from './errors.ts'
import { qualifiedResource, type ModelKind } from './kind.ts'
import { at, isTree, withLeaf, type Tree } from './tree.ts'

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/ */
export const finalizersOf = (object: unknown): string[] => {
  const found = at(object, 'metadata', 'finalizers')
  return Array.isArray(found) ? found.filter(entry => typeof entry === 'string') : []
}
export const isDeleted = (object: unknown) => at(object, 'metadata', 'deletionTimestamp') !== undefined

export const orphanFinalizer = 'orphan'
export const foregroundFinalizer = 'foregroundDeletion'

/** @throws {Refused} if it is not the object that was to be deleted */
export function checkPreconditions (kind: ModelKind, object: Tree, options: unknown): void {
  const name = String(at(object, 'metadata', 'name'))
  for (const [field, what] of [['uid', 'UID'], ['resourceVersion', 'ResourceVersion']] as const) {
    const [wanted, found] = [at(options, 'preconditions', field), at(object, 'metadata', field)]
    if (wanted !== undefined && wanted !== found) {
      throw conflict(qualifiedResource(kind), name, `Precondition failed: ${what} in precondition: ${String(wanted)}, ${what} in object meta: ${String(found)}`)
    }
  }
}

/** The object as a request to delete it leaves it, if it has to wait for its finalizers; undefined: it goes at once. */
export function marked (object: Tree, options: unknown, now: string): Tree | undefined {
  const policy = at(options, 'propagationPolicy')
  const others = finalizersOf(object).filter(entry => entry !== orphanFinalizer && entry !== foregroundFinalizer)
  const asked = policy === 'Orphan' ? [orphanFinalizer] : policy === 'Foreground' ? [foregroundFinalizer] : []
  // Without a policy, the earlier request applies.
  const finalizers = policy === undefined ? finalizersOf(object) : [...others, ...asked]
  if (finalizers.length === 0) return undefined
  const waiting = withLeaf(object, ['metadata', 'finalizers'], finalizers)
  if (isDeleted(object)) return waiting
  const { metadata } = waiting as { metadata: Tree }
  return {
    ...waiting,
    metadata: {
      ...metadata, deletionTimestamp: now, deletionGracePeriodSeconds: 0, ...(typeof metadata.generation === 'number' ? { generation: metadata.generation + 1 } : {}),
    },
  }
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/ */
export const deleteOptions = (body: unknown): Tree => isTree(body) ? body : {}
