import { appliedAnnotation } from '../../src/controller/applied-digest.ts'
import { childEdits, children, type Child } from './children.ts'
import type { Cluster } from './cluster.ts'
import { isDeleted } from './model/deletion.ts'
import { modelKinds } from './model/kinds.ts'
import { installPercona } from './percona-crd.ts'
import { Refused } from './model/errors.ts'
import type { Tree } from './model/tree.ts'
import { at, isTree } from './model/tree.ts'
import { changes, dittoServer, namespace, secrets, specs, storageClass, structuralChanges, type ServerName } from './servers.ts'

type Policy = 'Background' | 'Foreground' | 'Orphan'

/** The action of a user, or of another client in the cluster. Indexes refer to the lists in servers.ts and children.ts. */
export type Action =
  | { readonly does: 'create', readonly server: ServerName, readonly spec: number }
  | { readonly does: 'change', readonly server: ServerName, readonly change: number }
  | { readonly does: 'restructure', readonly server: ServerName, readonly change: number }
  | { readonly does: 'delete', readonly server: ServerName, readonly policy: Policy }
  | { readonly does: 'secret', readonly secret: string, readonly state: number }
  | { readonly does: 'delete-child', readonly server: ServerName, readonly child: number, readonly policy: Policy }
  | { readonly does: 'edit-child', readonly server: ServerName, readonly edit: number }
  | { readonly does: 'occupy', readonly server: ServerName, readonly child: number }
  | { readonly does: 'class', readonly name: 'grows' | 'stays' | 'later', readonly expandable: boolean }
  | { readonly does: 'install-percona' }
  | { readonly does: 'hold', readonly server: ServerName, readonly held: boolean }

const user = { manager: 'kubectl-edit' }
const foreignFinalizer = 'example.com/hold'

/** Only objects whose labels do not suggest an owner. */
const foreign = (kind: { readonly apiVersion: string, readonly kind: string }, name: string): Tree => ({
  apiVersion: kind.apiVersion,
  kind: kind.kind,
  metadata: { name, namespace, labels: { owner: 'somebody-else' } },
  ...(kind.kind === 'Service' ? { spec: { ports: [{ port: 80 }], selector: { app: 'theirs' } } } : {}),
  ...(kind.kind === 'ConfigMap' ? { data: { theirs: 'x' } } : {}),
  ...(kind.kind === 'Secret' ? { data: { theirs: 'eA==' } } : {}),
  ...(kind.kind === 'PerconaPGCluster' ? { spec: { postgresVersion: 15, instances: [{ name: 'theirs', dataVolumeClaimSpec: {} }], backups: { enabled: false } } } : {}),
  ...(kind.kind === 'StatefulSet' ? { spec: { serviceName: 'x', replicas: 0, selector: { matchLabels: { app: 'theirs' } }, template: { metadata: { labels: { app: 'theirs' } }, spec: { containers: [{ name: 'c', image: 'i' }] } } } } : {}),
})

/** Names that another client may have used before. */
export const occupied: readonly Child[] = children.filter(({ kind }) => kind.kind !== 'Pod')
export const deletable: readonly Child[] = children

/**
 * Performs the action, or returns `later` if its object does not exist yet. An action that the API server refuses has no effect, as in
 * reality.
 */
export function act (cluster: Cluster, action: Action): 'done' | 'later' {
  try {
    return cluster.as('user', () => perform(cluster, action))
  } catch (error) {
    if (error instanceof Refused) return 'done'
    throw error
  }
}

function perform (cluster: Cluster, action: Action): 'done' | 'later' {
  const { api } = cluster
  switch (action.does) {
    case 'create': return create(cluster, action.server, action.spec)
    case 'change': return patchSpec(cluster, action.server, changes[action.change])
    case 'restructure': return patchSpec(cluster, action.server, structuralChanges[action.change])
    case 'delete': return remove(cluster, { kind: modelKinds.dittoServer, name: () => action.server }, action.server, action.policy)
    case 'secret': return putSecret(cluster, action.secret, secrets[action.secret]?.[action.state])
    case 'delete-child': {
      const child = deletable[action.child]
      return child ? remove(cluster, child, action.server, action.policy) : 'done'
    }
    case 'edit-child': return editChild(cluster, action.server, action.edit)
    case 'occupy': {
      const child = occupied[action.child]
      if (!child || !api.isServed(child.kind)) return 'done'
      const name = child.name(action.server)
      api.create({ kind: child.kind, namespace, name }, foreign(child.kind, name), { manager: 'somebody' })
      return 'done'
    }
    case 'class': return putClass(cluster, action.name, action.expandable)
    case 'install-percona':
      installPercona(cluster)
      return 'done'
    case 'hold': return hold(cluster, action.server, action.held)
  }
}

function hold (cluster: Cluster, server: ServerName, held: boolean): 'done' | 'later' {
  const finalizers = held ? [foreignFinalizer] : []
  return patchServer(cluster, server, ({ metadata }) => {
    const found = (metadata as Tree).finalizers
    const others = Array.isArray(found) ? found.filter(entry => entry !== foreignFinalizer) as string[] : []
    return { metadata: { finalizers: [...others, ...finalizers] } }
  })
}

/** As soon as an existing object with that name is deleted. */
function create (cluster: Cluster, server: ServerName, spec: number): 'done' | 'later' {
  const place = { kind: modelKinds.dittoServer, namespace, name: server }
  if (isDeleted(cluster.find(place.kind, namespace, server))) return 'later'
  cluster.api.create(place, dittoServer(server, specs[spec] ?? {}), user)
  return 'done'
}

function patchServer ({ api }: Cluster, server: ServerName, patch: (server: Tree) => Tree): 'done' {
  const place = { kind: modelKinds.dittoServer, namespace, name: server }
  api.patch(place, patch(api.get(place)), user)
  return 'done'
}

const patchSpec = (cluster: Cluster, server: ServerName, spec: Tree | undefined) => patchServer(cluster, server, () => ({ spec }))

function remove ({ api }: Cluster, { kind, name }: Child, server: ServerName, propagationPolicy: Policy): 'done' | 'later' {
  if (!api.store.get(kind, namespace, name(server))) return 'later'
  api.remove({ kind, namespace, name: name(server) }, { propagationPolicy })
  return 'done'
}

/** An edit of an object that is being deleted is lost with it, as on every API server, so it is made again on the next object. */
function editChild (cluster: Cluster, server: ServerName, index: number): 'done' | 'later' {
  const edit = childEdits[index]
  const child = edit && children.find(({ kind }) => kind === edit.kind)
  if (!edit || !child) return 'done'
  const place = { kind: edit.kind, namespace, name: child.name(server) }
  const found = cluster.find(place.kind, namespace, place.name)
  if (!found || (edit.onceStarted && !isStarted(cluster, found, server))) return 'later'
  if (edit.applied !== true) cluster.api.patch(place, edit.patch, user)
  else {
    const { apiVersion, kind } = edit.kind
    const metadata = { ...(isTree(edit.patch.metadata) ? edit.patch.metadata : {}), name: place.name }
    cluster.api.apply(place, { ...edit.patch, apiVersion, kind, metadata }, { manager: 'argocd-controller', force: true })
  }
  return isDeleted(found) ? 'later' : 'done'
}

/** The operator has made or taken over the object, and then the server. */
const isStarted = (cluster: Cluster, object: Tree, server: ServerName) =>
  at(object, 'metadata', 'annotations', appliedAnnotation) !== undefined && cluster.find(modelKinds.statefulSet, namespace, server) !== undefined

function putSecret ({ api }: Cluster, name: string, data: Tree | undefined): 'done' {
  const place = { kind: modelKinds.secret, namespace, name }
  const found = api.store.get(place.kind, namespace, name)
  if (data === undefined) {
    if (found) api.remove(place, { propagationPolicy: 'Background' })
  } else if (found) api.update(place, { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data }, user)
  else api.create(place, { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data }, user)
  return 'done'
}

function putClass ({ api }: Cluster, name: string, expandable: boolean): 'done' {
  const place = { kind: modelKinds.storageClass, namespace: '', name }
  if (api.store.get(place.kind, '', name)) api.patch(place, { allowVolumeExpansion: expandable }, user)
  else api.create(place, storageClass(name, expandable), user)
  return 'done'
}
