import { finalizersOf, foregroundFinalizer, isDeleted, orphanFinalizer } from '../model/deletion.ts'
import { qualifiedResource, type ModelKind } from '../model/kind.ts'
import { allKinds } from '../model/kinds.ts'
import { metadataOf } from '../model/metadata.ts'
import { objectKeyOf } from '../model/store.ts'
import { at, isTree, type Tree } from '../model/tree.ts'
import { Looker, type ControllerContext, type ModelController } from './controller.ts'

interface Found { readonly kind: ModelKind, readonly object: Tree }

export const ownersOf = (object: unknown): Tree[] => {
  const owners = at(object, 'metadata', 'ownerReferences')
  return Array.isArray(owners) ? owners.filter(isTree) : []
}

const uidOf = (object: unknown) => String(at(object, 'metadata', 'uid') ?? '')
const placeOf = ({ kind, object }: Found) => ({ kind, namespace: String(metadataOf(object).namespace ?? ''), name: String(metadataOf(object).name) })

/** https://kubernetes.io/docs/concepts/architecture/garbage-collection/#owners-dependents */
export function garbageCollector (context: ControllerContext): ModelController {
  const { cluster } = context
  const kinds = allKinds.filter(kind => kind.resource !== 'events' && kind.resource !== 'leases')
  const byKey = new Map(kinds.map(kind => [qualifiedResource(kind), kind]))
  const all = (): Found[] => kinds.flatMap(kind => cluster.list(kind).map(object => ({ kind, object })))
  const dependents = (uid: string) => all().filter(({ object }) => ownersOf(object).some(owner => owner.uid === uid))
  const patch = (found: Found, change: Tree) => {
    cluster.api.patch(placeOf(found), { metadata: { resourceVersion: metadataOf(found.object).resourceVersion, ...change } }, { manager: 'kube-controller-manager' })
  }
  const remove = (found: Found, propagationPolicy: string) => {
    cluster.api.remove(placeOf(found), { propagationPolicy, preconditions: { uid: uidOf(found.object) } })
  }
  const withoutFinalizer = (found: Found, finalizer: string) => {
    patch(found, { finalizers: finalizersOf(found.object).filter(entry => entry !== finalizer) })
  }

  function letGo (owner: Found): void {
    const uid = uidOf(owner.object)
    for (const dependent of dependents(uid)) {
      patch(dependent, { ownerReferences: ownersOf(dependent.object).filter(entry => entry.uid !== uid) })
    }
    withoutFinalizer(owner, orphanFinalizer)
  }

  function takeAlong (owner: Found): void {
    const uid = uidOf(owner.object)
    const left = dependents(uid)
    for (const dependent of left) if (!isDeleted(dependent.object)) remove(dependent, 'Foreground')
    const blocking = dependents(uid)
      .filter(({ object }) => ownersOf(object).some(entry => entry.uid === uid && entry.blockOwnerDeletion === true))
    if (blocking.length === 0) withoutFinalizer(owner, foregroundFinalizer)
    else looker.add(keyOf(owner), 500)
  }

  /** Deletes an object when all its owners are deleted; removes a reference to a deleted owner if another owner is left. */
  function collect (found: Found): void {
    const owners = ownersOf(found.object)
    if (owners.length === 0 || isDeleted(found.object)) return
    const living = new Set(all().map(({ object }) => uidOf(object)))
    const left = owners.filter(({ uid }) => living.has(String(uid)))
    if (left.length === 0) remove(found, 'Background')
    else if (left.length < owners.length) patch(found, { ownerReferences: left })
  }

  const keyOf = ({ kind, object }: Found) => `${qualifiedResource(kind)} ${objectKeyOf(object)}`

  const looker = new Looker('garbage-collector', context, key => {
    const [resource = '', name = ''] = key.split(' ')
    const kind = byKey.get(resource)
    const [namespace = '', last = ''] = name.includes('/') ? name.split('/') : ['', name]
    const object = kind && cluster.find(kind, namespace, last)
    if (!kind || !object) return
    const finalizers = finalizersOf(object)
    if (isDeleted(object) && finalizers.includes(orphanFinalizer)) letGo({ kind, object })
    else if (isDeleted(object) && finalizers.includes(foregroundFinalizer)) takeAlong({ kind, object })
    else collect({ kind, object })
  })

  return {
    onChange: ({ kind, type, object }) => {
      if (!byKey.has(qualifiedResource(kind))) return
      if (type === 'DELETED') {
        const owners = ownersOf(object).flatMap(({ uid }) => all().filter(found => uidOf(found.object) === uid))
        for (const found of [...dependents(uidOf(object)), ...owners]) looker.add(keyOf(found))
      } else if (isDeleted(object) || ownersOf(object).length > 0) looker.add(keyOf({ kind, object }))
    },
    isIdle: () => looker.isIdle,
  }
}
