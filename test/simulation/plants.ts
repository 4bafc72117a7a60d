/**
 * A fault put into the operator, to see that the simulation finds it. Each replaces lines of a source file, which must be there exactly
 * once as they are written here.
 */
export interface Plant {
  readonly name: string
  readonly edits: readonly Edit[]
  /** A seed that finds it, unless scenarios have changed since. Absent: none is known. */
  readonly seed?: number
}

export interface Edit { readonly file: string, readonly from: string, readonly to: string }

const edit = (file: string) => (from: string, to: string): Edit => ({ file, from, to })
const writer = edit('controller/writer.ts')
const reconcile = edit('controller/reconcile.ts')
const controller = edit('controller/controller.ts')
const observe = edit('controller/observe.ts')
const status = edit('controller/status.ts')
const report = edit('controller/report.ts')
const election = edit('leader-election/leader-election.ts')
const cache = edit('cluster/watch-cache.ts')
const store = edit('cluster/object-store.ts')
const deletion = edit('controller/plan/deletion.ts')
const protection = edit('controller/plan/database-protection.ts')
const settle = edit('controller/plan/settle.ts')
const statefulSet = edit('controller/plan/stateful-set.ts')
const secrets = edit('controller/plan/secrets.ts')

export const plants: readonly Plant[] = [
  // Faults in the checks of who may write, and to which objects.
  { name: 'the fence is omitted', seed: 1, edits: [writer('signal, beforeSend: fence })', 'signal })')] },
  {
    name: 'the fence is checked only when a pass starts',
    seed: 1,
    edits: [
      writer('    const results: StepResult[] = []\n', '    const results: StepResult[] = []\n    this.#options.fence()\n'), writer('signal, beforeSend: fence })', 'signal })'),
    ]
  },
  { name: 'leadership is counted from the reply to a renewal', seed: 2208, edits: [election('this.#renewed = written && sent', 'this.#renewed = written && this.#now()')] },
  {
    name: 'the wall clock is ignored',
    seed: 32,
    edits: [
      election('return Math.max(now.monotonic - this.#renewed.monotonic, now.wall - this.#renewed.wall)', 'return now.monotonic - this.#renewed.monotonic'),
    ]
  },
  { name: 'another holder counts as expired too early', seed: 40, edits: [election('this.#clock.monotonic() - this.#seen.at > duration', 'this.#clock.monotonic() - this.#seen.at > 1_000')] },
  { name: 'a foreign object is adopted', seed: 1, edits: [settle('return isOwned(observed.server, found.object)\n', 'return found.state === \'present\'\n')] },
  { name: 'an existing name counts as created', seed: 1, edits: [writer('isTaken(error)) return { step, outcome: \'exists\' }', 'isTaken(error)) return { step, outcome: \'done\', object: step.object }')] },
  // Faults in the view of the cluster.
  {
    name: 'its own writes are not waited for',
    seed: 100,
    edits: [
      reconcile('if (byName.size > 0 && waited < watchPatience) return { requeueAfter: watchPatience - waited, waiting: true }', ''),
      reconcile('{ signal, byName })', '{ signal, byName: new Set() })'),
    ]
  },
  { name: 'a conflict counts as done', seed: 128, edits: [writer('return { step, outcome: \'failed\', error }', 'return hasStatus(error, 409) ? { step, outcome: \'done\', object: undefined } : { step, outcome: \'failed\', error }')] },
  { name: 'a status is written whatever its version', edits: [writer('{ metadata: { uid, resourceVersion }, status }', '{ status }')] },
  // eslint-disable-next-line no-template-curly-in-string
  { name: 'an unreadable object counts as absent', edits: [observe('return { state: \'unknown\', reason: failureReason(error, `get ${kinds[kind].resource}`) }', 'return { state: \'absent\' }')] },
  { name: 'a silent watch is not noticed', seed: 144, edits: [edit('cluster/collection.ts')('void whenSilent(clock, idleTimeoutMs, () => heardAt, controller)', '')] },
  { name: '410 does not lead to a list', seed: 40, edits: [cache('if (hasStatus(error, 410)) {', 'if (hasStatus(error, 499)) {')] },
  { name: 'a deletion on a watch is ignored', seed: 8, edits: [cache('if (type === \'DELETED\') this.#store.delete(objectKey(object.metadata))', 'if (type === \'DELETED\') return')] },
  { name: 'an object that is missing in a list enqueues nothing', edits: [store('if (!keys.has(key)) this.delete(key)', 'if (!keys.has(key)) this.#entries.delete(key)')] },
  { name: 'the objects in a later list are ignored', seed: 144, edits: [cache('      this.#set(object)\n', '      if (this.#sync === \'pending\') this.#set(object)\n')] },
  { name: 'a change during a pass is ignored', seed: 12, edits: [edit('controller/queue.ts')('if (entry.again) this.add(key)', 'if (false) this.add(key)')] },
  { name: 'a failed pass is not retried', seed: 128, edits: [edit('controller/queue.ts')('else if (delay !== undefined) this.addAfter(key, delay)', 'else if (delay !== undefined && !failed) this.addAfter(key, delay)')] },
  { name: 'a server is indexed only by its first Secrets', edits: [controller('else this.#secretIndex.set(object)', 'else if (type === \'added\') this.#secretIndex.set(object)')] },
  { name: 'Secrets enqueue only their owners', seed: 284, edits: [controller('for (const server of this.#secretIndex.users(change.key)) this.#add(server)', '')] },
  { name: 'a removed label enqueues nothing', edits: [controller('change.type === \'modified\' ? [change.previous, change.object] : [change.object]', '[change.object]')] },
  { name: 'pods enqueue nothing', seed: 20, edits: [controller('if (labels.instance && isNews) this.', 'if (false) this.')] },
  { name: 'an installed CRD enqueues nothing', edits: [controller('if (usesPercona(object)) this.#add(', 'if (false) this.#add(')] },
  { name: 'unwatched changes are not checked again', seed: 1264, edits: [reconcile('awaitsOthers(findings) ? othersPeriod', 'awaitsOthers(findings) ? undefined')] },
  // Faults that affect data.
  {
    name: 'growing volumes are deleted',
    seed: 56,
    edits: [
      statefulSet('do: \'patch\', kind: \'PersistentVolumeClaim\', name, patch: { spec: { resources: { requests: { storage: size } } } }, mayBeRefused: true', 'do: \'delete\', kind: \'PersistentVolumeClaim\', name, uid: undefined, propagation: \'Background\''),
    ]
  },
  {
    name: 'a StatefulSet is replaced before its claims have grown',
    edits: [
      statefulSet('if (isReplaced && grown.length === 0 && mayStart(observed))', 'if (isReplaced && mayStart(observed))'),
      edit('controller/plan/storage-growth.ts')('behind && patches.length === 0 && drift.length === 0', 'behind && drift.length === 0'),
    ]
  },
  { name: 'a StatefulSet is replaced together with its pod', seed: 984, edits: [edit('controller/plan/replacement.ts')('uid, resourceVersion, propagation: \'Orphan\'', 'uid, resourceVersion, propagation: \'Background\'')] },
  { name: 'a StatefulSet is deleted without a rehearsal', edits: [edit('controller/plan/replacement.ts')('    rehearse(\'StatefulSet\', withDigest(wanted)),\n', '')] },
  { name: 'a server starts before its database', seed: 1, edits: [statefulSet('return isDatabaseReady(observed) || ', 'return true || ')] },
  { name: 'a database keeps an owner that must be removed', seed: 20, edits: [protection('!isCollected(server, cluster)) return nothing', 'true) return nothing')] },
  {
    name: 'a refused spec keeps the database from being protected',
    seed: 20,
    edits: [
      edit('controller/plan/plan.ts')('finalizer, databaseProtection, refusal,', 'finalizer, refusal, databaseProtection,'),
    ]
  },
  { name: 'a database that must be deleted is kept', seed: 168, edits: [deletion('isWanted ? deleteDatabase(database.object) : ', '')] },
  { name: 'a database that must be kept is deleted', seed: 396, edits: [deletion('server.spec.percona.enabled && server.spec.percona.deleteWithServer && isOurDatabase', 'server.spec.percona.enabled && isOurDatabase')] },
  { name: 'deleteWithServer is not read again at the deletion', edits: [deletion('if (!isRead(server)) return', 'if (false) return'), deletion('releaseSteps(server.object, warning)', 'releaseSteps(observed.object, warning)')] },
  {
    name: 'the finalizer is removed before the database is handled',
    seed: 8,
    edits: [
      deletion('[...steps, ...released(isWanted ? warningOf(database.object) : undefined)]', '[...released(isWanted ? warningOf(database.object) : undefined), ...steps]'),
    ]
  },
  { name: 'a server has no finalizer', seed: 1, edits: [edit('controller/plan/finalizer.ts')('if (finalizers.includes(ours)) return nothing', 'if (finalizers) return nothing')] },
  { name: 'the signing key is recreated', seed: 1, edits: [secrets('if (read.state !== \'read\' || read.secrets.get(name)?.data?.[managedJwtKey]) return { steps: [] }', '')] },
  { name: 'an obsolete split connection is kept', seed: 284, edits: [secrets('return { steps: remove(observed, \'Secret\', name) }', 'return { steps: [] }')] },
  // Faults in the resulting objects.
  { name: 'a manual edit is not noticed', seed: 32, edits: [settle('|| contains(wanted, current)', '|| true')] },
  { name: 'the digest is ignored', seed: 4676, edits: [settle('if (appliedDigest(current) !== appliedDigest(wanted)) return false', '')] },
  { name: 'everything is applied in every pass', seed: 1, edits: [settle('if (appliedDigest(current) !== appliedDigest(wanted)) return false', 'return false')] },
  { name: 'fields of the create do not become ours', seed: 68, edits: [writer('if (managers.length > 0) {', 'if (managers.length > 9) {')] },
  { name: 'fields of other managers are forced', seed: 144, edits: [edit('controller/plan/contains.ts')('pairs.some(([ours, theirs]) => ours === undefined ||', 'pairs.some(([ours, theirs]) => ')] },
  { name: 'an object that is no longer rendered is kept', edits: [settle('return deletionTimestamp === undefined ? [{', 'return deletionTimestamp !== undefined ? [{')] },
  // Faults in the status.
  {
    name: 'a StatefulSet that is being deleted is read like any other',
    seed: 231,
    edits: [report('statefulSet?.metadata.deletionTimestamp === undefined ? statefulSet : undefined', 'statefulSet')],
  },
  {
    name: 'the time of a manual restart is lost',
    edits: [edit('render/inputs.ts')('...(restartedAt === undefined ? {} : { restartedAt }),', '')],
  },
  {
    name: 'a StatefulSet is deleted in any version',
    edits: [edit('controller/plan/replacement.ts')('uid, resourceVersion, propagation', 'uid, propagation')],
  },
  {
    name: 'a missing split connection is sealed',
    edits: [edit('controller/plan/inputs.ts')("if (isSplit !== (digest.externalPostgres === 'url')) return undefined", '')],
  },
  {
    name: 'a database that cannot be read is not read again',
    edits: [
      edit('controller/plan/database.ts')(
        "if (found.state === 'unknown') return unknownObject(",
        "if (found.state === 'unknown') return says({ status: 'Unknown', reason: 'Unknown', message: '' }); else if (!name) return unknownObject(",
      ),
    ],
  },
  { name: 'a refusal loses the state of running objects', seed: 8, edits: [status('configHash = before.configHash,', 'configHash,')] },
  { name: 'conditions that were not reached become Unknown', seed: 8, edits: [status('if (finding === \'kept\' && known) {', 'if (finding === \'kept\' && !known) {')] },
  { name: 'every pass reports a changed condition', seed: 1, edits: [status('known?.status === status ? known.lastTransitionTime : time', 'time')] },
  { name: 'a server whose StatefulSet is recreated counts as unavailable', seed: 100, edits: [status('const pods = isPodReady ? 1 : 0', 'const pods = 0')] },
]
