import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { effectiveBackend } from '../../src/dittoserver/database.ts'
import { readDittoServer, type DittoServer } from '../../src/dittoserver/dittoserver.ts'
import { childNames } from '../../src/render/names.ts'
import { renderOffline } from '../../src/render/offline.ts'
import type { Cluster } from './cluster.ts'
import { finalizersOf, isDeleted } from './model/deletion.ts'
import { allKinds, modelKinds } from './model/kinds.ts'
import { metadataOf } from './model/metadata.ts'
import { canonicalQuantity } from './model/quantity.ts'
import { at, isTree, withLeaf, type Tree } from './model/tree.ts'
import { ownersOf } from './controllers/garbage-collector.ts'
import { namespace } from './servers.ts'
import { finalizer } from '../../src/dittoserver/api.ts'

const { dittoServer, perconaCluster, pod, statefulSet, service, secret } = modelKinds

/** The expected state after everything has settled, whatever happened before. */
export async function faultsAtRest (cluster: Cluster): Promise<string[]> {
  const faults: string[] = []
  for (const object of cluster.list(dittoServer)) {
    const name = String(metadataOf(object).name)
    const { server } = readDittoServer(object)
    faults.push(...databaseFaults(cluster, server))
    if (isDeleted(object)) {
      if (finalizersOf(object).includes(finalizer)) faults.push(`${name} is to be deleted, and nothing happens`)
      continue
    }
    if (!finalizersOf(object).includes(finalizer)) faults.push(`${name} has no finalizer`)
    // An object of something else in its place stops the work on a server.
    const isStopped = condition(object, 'ConfigReady')?.reason === 'ForeignObject'
    if (!isStopped && cluster.find(pod, namespace, `${name}-0`) && !cluster.find(statefulSet, namespace, name)) faults.push(`the StatefulSet of ${name} was taken away and not made again`)
    if (isWorkedOn(object)) faults.push(...await objectFaults(cluster, server, object))
  }
  return [...faults, ...orphans(cluster)]
}

/** Whether a pass over some server failed and is to be tried again. */
export const isFailing = (cluster: Cluster): boolean => cluster.list(dittoServer).some(object => condition(object, 'Progressing')?.reason === 'ReconcileFailed')

const condition = (object: Tree, type: string) => {
  const conditions = at(object, 'status', 'conditions')
  return (Array.isArray(conditions) ? conditions.filter(isTree) : []).find(entry => entry.type === type)
}

/** Not refused and not failing, and its database exists: the server matches its spec. */
const isWorkedOn = (object: Tree) => condition(object, 'ConfigReady')?.status === 'True' && condition(object, 'Progressing')?.reason !== 'ReconcileFailed' &&
  condition(object, 'Stalled')?.status !== 'True' && (condition(object, 'DatabaseReady')?.status ?? 'True') === 'True' && condition(object, 'StorageReady')?.status === 'True'

/** Whatever has an owner is collected sooner or later. */
function databaseFaults (cluster: Cluster, { metadata: { name, uid }, spec: { percona } }: DittoServer): string[] {
  const database = cluster.find(perconaCluster, namespace, childNames(name).perconaCluster)
  const owned = ownersOf(database).some(owner => owner.uid === uid)
  return owned && !(percona.enabled && percona.deleteWithServer) ? [`the database of ${name} would be collected with it, which nobody wishes`] : []
}

const kindNamed = (name: string) => allKinds.find(({ kind }) => kind === name)

async function objectFaults (cluster: Cluster, server: DittoServer, object: Tree): Promise<string[]> {
  const { name } = server.metadata
  const read = async (kind: string, where: string, which: string) => {
    const found = kindNamed(kind)
    return found && cluster.find(found, where, which) as unknown as KubernetesObject
  }
  const expected = await renderOffline(server, read as Parameters<typeof renderOffline>[1])
  const missing = expected.flatMap(wanted => {
    const kind = kindNamed(wanted.kind)
    const found = kind && cluster.find(kind, namespace, wanted.metadata.name)
    if (!found) return [`${wanted.kind} ${wanted.metadata.name} is not there`]
    // Other clients may own fields of the database, and the signing key is created only once.
    if (kind === perconaCluster || wanted.metadata.name === childNames(name).jwtSecret) return []
    const plain = withLeaf(wanted as unknown as Tree, ['metadata', 'uid'], undefined)
    return contains(found, plain) ? [] : [`${wanted.kind} ${wanted.metadata.name} is not as it is rendered`]
  })
  const names = childNames(name)
  const rendered = new Set(expected.map(({ kind, metadata }) => `${kind} ${metadata.name}`))
  const superfluous = [[service, names.metricsService], [secret, names.postgresEnvSecret]] as const
  const left = superfluous.flatMap(([kind, which]) => {
    const found = cluster.find(kind, namespace, which)
    const ours = found && ownersOf(found).some(({ uid }) => uid === metadataOf(object).uid)
    return ours && !rendered.has(`${kind.kind} ${which}`) ? [`${kind.kind} ${which} is left over`] : []
  })
  return [...missing, ...left, ...hasDatabase(cluster, server)]
}

const hasDatabase = (cluster: Cluster, { metadata: { name }, spec }: DittoServer): string[] =>
  effectiveBackend(spec) === 'percona' && !cluster.find(perconaCluster, namespace, childNames(name).perconaCluster) ? [`${name} has no database`] : []

/** Whether all that is wanted is there. Others may have put more into it, also into lists whose entries have names. */
function contains (found: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    const entries = Array.isArray(found) ? found as unknown[] : []
    return wanted.every((entry, index) => contains(isTree(entry) && 'name' in entry ? entries.find(other => at(other, 'name') === entry.name) : entries[index], entry))
  }
  if (isTree(wanted)) return Object.entries(wanted).every(([key, value]) => value === undefined || contains(at(found, key), value))
  return wanted === found || canonicalQuantity(wanted) === canonicalQuantity(found)
}

/** Objects of servers that are no more. */
function orphans (cluster: Cluster): string[] {
  const kinds = [perconaCluster, statefulSet, service, secret, modelKinds.configMap]
  const living = new Set([dittoServer, ...kinds].flatMap(kind => cluster.list(kind).map(object => metadataOf(object).uid)))
  return kinds.flatMap(kind => cluster.list(kind))
    .filter(object => ownersOf(object).length > 0 && ownersOf(object).every(({ uid }) => !living.has(uid)))
    .map(object => `${String(object.kind)} ${String(metadataOf(object).name)} has outlived its owner`)
}
