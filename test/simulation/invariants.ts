import { parseQuantity } from '../../src/dittoserver/quantity.ts'
import { finalizer } from '../../src/dittoserver/api.ts'
import { restartedAtAnnotation } from '../../src/render/inputs.ts'
import type { Cluster } from './cluster.ts'
import { finalizersOf, isDeleted } from './model/deletion.ts'
import type { ModelReply } from './model/http.ts'
import { modelKinds } from './model/kinds.ts'
import { metadataOf } from './model/metadata.ts'
import type { Change } from './model/store.ts'
import { at, isEqual, isTree, withLeaf, type Tree } from './model/tree.ts'
import type { Sent } from './network.ts'
import { namespace } from './servers.ts'

const { dittoServer, perconaCluster, persistentVolumeClaim, statefulSet, secret, lease, event, pod } = modelKinds

/** The fence closes this long after a renewal was sent, on the slowest clock that is allowed for. */
const longestLead = 10_000 / 0.85

/** Requests that one process may have under way when another takes the lead: one for each worker, and one of events. */
const mostUnderWay = 4

export const isOperator = (actor: string) => actor.startsWith('operator')

/** Invariants that always hold. They are checked after every write. */
export class Invariants {
  readonly violations: string[] = []
  /** Writes of the operator that changed something, and those that changed nothing. Leases are not counted. */
  writes = 0
  idleWrites = 0
  #lastWrite = 0
  readonly #cluster: Cluster
  /** Maximum age of a view in milliseconds: a status must have been true at some time since. */
  readonly #oldestView: number
  /** Uids of the objects that the operator created. */
  readonly #ours = new Set<unknown>()
  readonly #identities = new Map<string, unknown>()
  readonly #renewed = new Map<string, number>()
  readonly #late = new Map<string, number>()
  /** When a server was last to be deleted together with its database, by uid. */
  readonly #wished = new Map<unknown, number>()
  readonly #readyDatabases = new Set<string>()
  /** Since when the pod of a name has been ready; Infinity: it is not. */
  readonly #readySince = new Map<string, number>()

  constructor (cluster: Cluster, oldestView: number) {
    this.#cluster = cluster
    this.#oldestView = oldestView
    cluster.onChange(change => { this.#changed(change) })
  }

  /** When the operator last changed anything. */
  get lastWrite (): number { return this.#lastWrite }

  violate (what: string): void { this.violations.push(`${(this.#cluster.world.now / 1000).toFixed(3)} s: ${what}`) }

  sent ({ process, request, isWrite, at }: Sent): void {
    if (!isWrite || request.url.pathname.includes('/leases')) return
    const what = `${process} sends ${request.method} ${request.url.pathname}`
    const holder = this.#holder()
    if (holder !== this.#identities.get(process)) this.violate(`${what}, but another process leads`)
    else if (at - (this.#renewed.get(process) ?? -Infinity) > longestLead) this.violate(`${what}, ${at - (this.#renewed.get(process) ?? 0)} ms after its last renewal`)
  }

  arrived ({ process, request, isWrite, at: left }: Sent, reply: ModelReply | undefined, changed: boolean): void {
    if (!isWrite || !reply) return
    const done = reply.status < 300
    if (request.url.pathname.includes('/leases')) {
      const holder: unknown = at(JSON.parse(request.body ?? 'null'), 'spec', 'holderIdentity')
      if (!done || !holder) return
      this.#identities.set(process, holder)
      this.#renewed.set(process, left)
      return
    }
    if (this.#holder() !== this.#identities.get(process)) {
      const late = (this.#late.get(process) ?? 0) + 1
      this.#late.set(process, late)
      if (late > mostUnderWay) this.violate(`${late} writes of ${process} arrive after another process took the lead`)
    }
    if (done && !changed) this.idleWrites++
  }

  #holder (): unknown { return at(this.#cluster.list(lease)[0], 'spec', 'holderIdentity') }

  #changed (change: Change): void {
    const { kind } = change
    const { actor, world } = this.#cluster
    this.#note(change)
    if (!isOperator(actor) || kind === lease) return
    this.writes++
    this.#lastWrite = world.now
    if (kind !== event) this.#judge(change)
  }

  #note (change: Change): void {
    const { kind, object } = change
    if (kind === dittoServer) this.#noteWish(change)
    if (kind === pod) this.#notePod(change)
    if (kind === perconaCluster && at(object, 'status', 'state') === 'ready') this.#readyDatabases.add(String(metadataOf(object).name))
    if (kind === perconaCluster && this.#cluster.actor === 'garbage-collector') this.#collected(change)
  }

  /** A write of the operator. */
  #judge (change: Change): void {
    const { kind, type, object, previous } = change
    const { actor } = this.#cluster
    const name = `${kind.kind} ${String(metadataOf(object).name)}`
    if (type === 'ADDED') this.#made(change)
    else if (this.#isOwned(previous ?? {})) this.#ours.add(metadataOf(object).uid)
    else if (kind === dittoServer) this.#ownServer(object, previous ?? {}, type)
    else if (kind === secret && type === 'MODIFIED') this.#signingKey(name, object, previous ?? {})
    else if (kind === persistentVolumeClaim) this.#claim(name, object, previous ?? {}, type)
    else if (!this.#ours.has(metadataOf(object).uid)) this.violate(`${actor} changes ${name}, which is not its own`)
    if (kind === perconaCluster && (type === 'DELETED' || (isDeleted(object) && !isDeleted(previous)))) this.#databaseDeleted(name, object)
  }

  #made ({ kind, object }: Change): void {
    this.#ours.add(metadataOf(object).uid)
    if (kind !== statefulSet) return
    this.#starts(String(metadataOf(object).name))
    this.#keepsRestart(object)
  }

  /** A pod that was restarted by hand is not restarted again because its StatefulSet is another one. */
  #keepsRestart (set: Tree): void {
    const name = String(metadataOf(set).name)
    const running = this.#cluster.find(pod, namespace, `${name}-0`)
    const restartOf = (object: unknown) => at(object, 'metadata', 'annotations', restartedAtAnnotation)
    const [has, gets] = [restartOf(running), restartOf(at(set, 'spec', 'template'))]
    if (running && !isDeleted(running) && has !== gets) this.violate(`${name} is made with another time of a restart than its pod has`)
  }

  /** The first start of a server waits for its database. */
  #starts (name: string): void {
    const server = this.#cluster.find(dittoServer, namespace, name)
    if (at(server, 'spec', 'percona', 'enabled') !== true) return
    const ranBefore = this.#cluster.list(pod).concat(this.#cluster.list(persistentVolumeClaim))
      .some(object => String(metadataOf(object).name).endsWith(`${name}-0`))
    const wasReady = this.#readyDatabases.has(`${name}-postgres`)
    if (!ranBefore && !wasReady) this.violate(`${name} starts before its database is ready`)
  }

  /** It belongs to an existing server, no matter which program created it. */
  #isOwned (object: Tree): boolean {
    const owners = metadataOf(object).ownerReferences
    const servers = new Set(this.#cluster.list(dittoServer).map(server => metadataOf(server).uid))
    return Array.isArray(owners) && owners.some(owner => at(owner, 'controller') === true && servers.has(at(owner, 'uid')))
  }

  /** Made once: another key would end every session. */
  #signingKey (name: string, object: Tree, previous: Tree): void {
    const [before, after] = [previous, object].map(tree => at(tree, 'data', 'jwt-secret'))
    if (before !== undefined && after !== undefined && before !== after) this.violate(`${name} gets another key`)
  }

  /** Of a DittoServer only the status and one finalizer are the operator's. */
  #ownServer (object: Tree, previous: Tree, type: Change['type']): void {
    const others = (tree: Tree) => finalizersOf(tree).filter(entry => entry !== finalizer)
    const rest = ({ status, metadata, ...tree }: Tree) => {
      const { finalizers, managedFields, resourceVersion, ...left } = metadataOf({ metadata })
      return { ...tree, left }
    }
    if (type !== 'DELETED' && !isEqual(rest(object), rest(previous))) this.violate(`DittoServer ${String(metadataOf(object).name)} is changed beyond its status`)
    // The last state of a deleted object is the one before its last finalizer was removed.
    if (type !== 'DELETED' && !isEqual(others(object), others(previous))) this.violate(`a finalizer of somebody else on ${String(metadataOf(object).name)} is changed`)
    this.#status(object, previous)
  }

  #claim (name: string, object: Tree, previous: Tree, type: Change['type']): void {
    const size = ['spec', 'resources', 'requests', 'storage']
    const rest = (tree: Tree) => withLeaf(withLeaf(withLeaf(tree, size, undefined), ['metadata', 'managedFields'], undefined), ['metadata', 'resourceVersion'], undefined)
    if (type === 'DELETED' || (isDeleted(object) && !isDeleted(previous))) this.violate(`${name} is deleted by the operator`)
    else if (!isEqual(rest(object), rest(previous))) this.violate(`${name} is changed in more than its size`)
    const [before, after] = [previous, object].map(tree => parseQuantity(String(at(tree, ...size))) ?? 0n)
    if ((after ?? 0n) < (before ?? 0n)) this.violate(`${name} is made smaller`)
  }

  #noteWish ({ object, type }: Change): void {
    const wishes = at(object, 'spec', 'percona', 'enabled') === true && at(object, 'spec', 'percona', 'deleteWithServer') === true
    if (wishes && type !== 'DELETED') this.#wished.set(metadataOf(object).uid, this.#cluster.world.now)
    else if (type === 'MODIFIED' && this.#wished.has(metadataOf(object).uid) && !wishes) this.#wished.set(metadataOf(object).uid, this.#cluster.world.now)
  }

  /** The operator deletes a database only with its server, and only if the spec requests it, or did so until just before. */
  #databaseDeleted (name: string, object: Tree): void {
    const server = this.#cluster.list(dittoServer).find(found => `${String(metadataOf(found).name)}-postgres` === metadataOf(object).name)
    const wished = this.#wished.get(metadataOf(server).uid)
    const since = wished === undefined ? Infinity : this.#cluster.world.now - wished
    const wishes = at(server, 'spec', 'percona', 'deleteWithServer') === true
    if (!server || !isDeleted(server) || (!wishes && since > 60_000)) this.violate(`${name} is deleted, with its data, though nobody asked for it`)
  }

  #collected ({ object, previous, type }: Change): void {
    const owners = at(object, 'metadata', 'ownerReferences')
    const began = type === 'DELETED' ? !isDeleted(previous) : isDeleted(object) && !isDeleted(previous)
    if (!began || !Array.isArray(owners)) return
    const wished = owners.some(owner => this.#cluster.world.now - (this.#wished.get(at(owner, 'uid')) ?? -Infinity) < 60_000 || this.#isWished(at(owner, 'uid')))
    if (!wished) this.violate(`PerconaPGCluster ${String(metadataOf(object).name)} is collected, with its data, though nobody asked for it`)
  }

  #isWished (uid: unknown): boolean {
    const server = this.#cluster.list(dittoServer).find(found => metadataOf(found).uid === uid)
    return server ? at(server, 'spec', 'percona', 'deleteWithServer') === true : this.#wished.has(uid)
  }

  #notePod ({ object, type }: Change): void {
    const conditions = at(object, 'status', 'conditions')
    const ready = type !== 'DELETED' && !isDeleted(object) && Array.isArray(conditions) && conditions.some(entry => at(entry, 'type') === 'Ready' && at(entry, 'status') === 'True')
    const name = String(metadataOf(object).name)
    const since = this.#readySince.get(name) ?? Infinity
    this.#readySince.set(name, ready ? Math.min(since, this.#cluster.world.now) : Infinity)
  }

  /** A status is consistent, and a running server stays available. */
  #status (object: Tree, previous: Tree): void {
    const name = String(metadataOf(object).name)
    const [before, after] = [conditionsOf(previous), conditionsOf(object)]
    if (after.size !== ((at(object, 'status', 'conditions') as unknown[] | undefined)?.length ?? 0)) this.violate(`${name} has two conditions of one type`)
    if (isTrue(after, 'Ready') && !(isTrue(after, 'Available') && isTrue(after, 'ConfigReady'))) this.violate(`${name} is Ready and not Available`)
    for (const [type, condition] of after) {
      const complaint = complaintOf(before.get(type), condition, Number(metadataOf(object).generation))
      if (complaint) this.violate(`${name}: ${String(type)} ${complaint}`)
    }
    this.#keepsWhatRuns(object, previous)
    this.#staysReady(object, previous)
    if (isTrue(before, 'Available') && after.size > 0 && !isTrue(after, 'Available')) {
      const readySince = this.#readySince.get(`${name}-0`) ?? Infinity
      const since = this.#cluster.world.now - readySince
      if (readySince < this.#cluster.world.now - this.#oldestView) this.violate(`${name} is said to be unavailable, though its pod has been ready for ${since} ms`)
    }
  }

  /** A StatefulSet that is deleted keeps its pod: that is no update, and the server stays ready. */
  #staysReady (object: Tree, previous: Tree): void {
    const name = String(metadataOf(object).name)
    const [before, after] = [conditionsOf(previous), conditionsOf(object)]
    if (!isTrue(before, 'Ready') || isTrue(after, 'Ready') || after.get('Progressing')?.reason !== 'StatefulSetUpdating') return
    const set = this.#cluster.find(statefulSet, namespace, name)
    if (!set || isDeleted(set)) this.violate(`${name} is said to be updated and not ready, while its StatefulSet is replaced`)
  }

  #keepsWhatRuns (object: Tree, previous: Tree): void {
    const name = String(metadataOf(object).name)
    const after = conditionsOf(object)
    const forgets = (key: string) => at(previous, 'status', key) !== undefined && at(object, 'status', key) === undefined
    if (after.size > 0 && forgets('configHash')) this.violate(`${name}: the status forgets what runs`)
    if (after.size > 0 && forgets('perconaClusterName') && at(object, 'spec', 'percona', 'enabled') === true) this.violate(`${name}: the status forgets the database`)
  }
}

const isTrue = (conditions: ReadonlyMap<unknown, Tree>, type: string) => conditions.get(type)?.status === 'True'

function complaintOf (known: Tree | undefined, condition: Tree, generation: number): string | undefined {
  if (known && known.status !== 'Unknown' && condition.status === 'Unknown') return 'was known and is not any more'
  if (known?.status === condition.status && known?.lastTransitionTime !== condition.lastTransitionTime) return 'says that it changed, and did not'
  return Number(condition.observedGeneration) > generation ? 'speaks of a generation to come' : undefined
}

const conditionsOf = (object: unknown): ReadonlyMap<unknown, Tree> => {
  const conditions = at(object, 'status', 'conditions')
  return new Map((Array.isArray(conditions) ? conditions.filter(isTree) : []).map(condition => [condition.type, condition]))
}
