import { asAdmitted, judgeManifest, type Surroundings } from '../check/judge-manifest.ts'
import type { KindName } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { keepData } from '../controller/plan/database-data.ts'
import { asFarAsMutable } from '../controller/plan/immutable-fields.ts'
import { refusalOf } from '../controller/plan/refusal.ts'
import { readDittoServer, type DittoServer } from '../dittoserver/dittoserver.ts'
import { isUnreadable, type Manifest, type Unreadable } from '../embedded/manifests.ts'
import type { Claim } from '../render/claim.ts'
import { newSigningKey } from '../render/jwt-secret.ts'
import { childNames } from '../render/names.ts'
import { renderOffline, type ReadObject } from '../render/offline.ts'
import { claimName, claimTemplates } from '../render/volumes.ts'
import { outcomeOf, volumePlan, type VolumePlan } from './outcome.ts'
import type { Difference } from './report.ts'
import { nameOf, unifiedDiff, type Pair } from './unified.ts'

/** The cluster, as far as it is needed. `read` is asked for each object once or more, and must always answer the same. */
export interface Cluster extends Surroundings { readonly read: ReadObject }

/** What the manifest of a server would change. Rejects like `read`. */
export async function differenceOf (manifest: Manifest | Unreadable, cluster: Cluster): Promise<Difference> {
  const result = await judgeManifest(manifest, cluster)
  if (isUnreadable(manifest)) return { result, isNew: false, objects: [], notes: [] }
  const stored = await cluster.stored(manifest)
  const before = stored && stored.object as unknown as KubernetesObject
  const after = placed(asAdmitted(manifest.object, stored), manifest)
  const own = pairDiffs([{ before, after }])
  const base = { result, isNew: !before, objects: own, notes: [] }
  if (!result.allowed) return base
  const { server } = readDittoServer(after)
  const statefulSet = await cluster.read('StatefulSet', server.metadata.namespace, server.metadata.name)
  const refusal = refusalOf(after, server, cluster.policy, statefulSet)
  if (refusal) return { ...base, refused: refusal.observation.message }
  const rendered = await bothSides(before && readDittoServer(before).server, server, statefulSet, cluster.read)
  const outcome = outcomeOf(find(rendered.before, 'StatefulSet'), find(rendered.after, 'StatefulSet') ?? after, rendered.volumes)
  const pairs = pairsOf(rendered.before, rendered.after)
  const notes = [...rendered.notes, ...pairs.filter(isKept).map(pair => `${nameOf(pair)} is no longer used, and is kept.`)]
  return { ...base, outcome, objects: [...own, ...pairDiffs(pairs.filter(pair => !isKept(pair)))], notes }
}

/** A manifest may leave the namespace to the context. */
function placed (object: unknown, { namespace }: Manifest): KubernetesObject {
  const found = object as KubernetesObject
  return { ...found, metadata: { ...found.metadata, namespace } }
}

interface Sides {
  readonly before: readonly KubernetesObject[]
  readonly after: readonly KubernetesObject[]
  readonly volumes: VolumePlan
  readonly notes: readonly string[]
}

const noPlan: VolumePlan = { grows: [], replacedFor: [], kept: [] }

/** The objects of both specs, rendered from the same state of the cluster. */
async function bothSides (
  old: DittoServer | undefined, server: DittoServer, statefulSet: KubernetesObject | undefined, read: ReadObject,
): Promise<Sides> {
  const { name, namespace } = server.metadata
  // The key of a server that has none yet is a new one each time, and is no difference.
  const key = newSigningKey()
  const wanted = await renderOffline(server, read, key)
  const claims = new Map(await Promise.all(claimTemplates(server).map(async ({ metadata }) =>
    [metadata.name, await read('PersistentVolumeClaim', namespace, claimName(metadata.name, name)) as unknown as Claim | undefined] as const)))
  const set = find(wanted, 'StatefulSet')
  const volumes = statefulSet && set ? volumePlan(server, statefulSet, set, template => claims.get(template)) : noPlan
  const after = volumes.replacedFor.length > 0 ? await renderOffline(server, withTemplates(read, server), key) : wanted
  const cluster = await read('PerconaPGCluster', namespace, childNames(name).perconaCluster)
  const applied = (objects: readonly KubernetesObject[], isReplaced: boolean) => objects.map(object => {
    if (object.kind === 'StatefulSet' && statefulSet && !isReplaced) return asFarAsMutable(statefulSet, object)
    return object.kind === 'PerconaPGCluster' && cluster ? keepData(object, cluster).object : object
  })
  const database = find(after, 'PerconaPGCluster')
  const kept = cluster && database ? keepData(database, cluster).kept : []
  return {
    before: old ? applied(await renderOffline(old, read, key), false) : [],
    after: applied(after, volumes.replacedFor.length > 0),
    volumes,
    notes: kept.map(field => `${field} of the PostgreSQL cluster stays as it is, to protect the data.`),
  }
}

/** The existing StatefulSet, as it is recreated. */
const withTemplates = (read: ReadObject, server: DittoServer): ReadObject => async (kind, namespace, name) => {
  const found = await read(kind, namespace, name)
  return found && kind === 'StatefulSet' ? { ...found, spec: { ...found.spec as object, volumeClaimTemplates: claimTemplates(server) } } : found
}

const find = (objects: readonly KubernetesObject[], kind: KindName) => objects.find(object => object.kind === kind)

function pairsOf (before: readonly KubernetesObject[], after: readonly KubernetesObject[]): Pair[] {
  const matching = (list: readonly KubernetesObject[], { kind, metadata }: KubernetesObject) =>
    list.find(object => object.kind === kind && object.metadata.name === metadata.name)
  return [
    ...after.map(object => ({ before: matching(before, object), after: object })),
    ...before.filter(object => !matching(after, object)).map(object => ({ before: object, after: undefined })),
  ]
}

/** The reconcile loop never deletes a database because of an edit. */
const isKept = ({ before, after }: Pair) => after === undefined && before?.kind === 'PerconaPGCluster'

const pairDiffs = (pairs: readonly Pair[]) =>
  pairs.map(pair => ({ object: nameOf(pair), diff: unifiedDiff(pair) })).filter(({ diff }) => diff !== '')
