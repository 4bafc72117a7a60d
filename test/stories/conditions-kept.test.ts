import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { watch } from '../../src/cluster/collection.ts'
import { kinds } from '../../src/cluster/kinds.ts'
import { resourcePath } from '../../src/cluster/resource-path.ts'
import { eventually } from '../control-plane/control-plane.ts'
import { startFaultProxy } from '../e2e/fault-proxy.ts'
import { adminSecret, fileServer, serverWith } from './file-server.ts'
import { patience, startStory } from './story.ts'
import { stopwatch } from './stopwatch.ts'
import type { DittoServerStatus } from '../../src/dittoserver/schema.ts'
import type { FoundClaim } from '../e2e/kubectl-user.ts'

// The status of a running server stays correct while a volume grows, while the API server fails, while its spec is refused and while
// another process becomes the leader. Every written status is checked.

let proxy: Awaited<ReturnType<typeof startFaultProxy>> | undefined
const through = async (...[plane, kubeconfig]: [Parameters<typeof startFaultProxy>[1], string]) => {
  proxy = await startFaultProxy(t, plane)
  return await proxy.kubeconfig(kubeconfig)
}

interface PodStatus { readonly conditions?: readonly { readonly type: string, readonly status: string }[] }

const story = process.env.KIND_KUBECONFIG ? t.plan(0, 'nothing stands between the operator and kind') : await startStory(t, { through })
if (story) {
  const { apply, patch, run, get, awaitObject, awaitCondition, starts, startOperator, plane, faults } = story
  await apply(adminSecret)
  await apply(serverWith('files'))
  const server = await fileServer(story, 'files')
  await server.awaitReady()
  await awaitCondition('files', 'Ready', 'True', 'AllConditionsMet', patience)

  const over = new AbortController()
  /** Every status that an object is given from now on. */
  const record = async <Status>(kind: 'DittoServer' | 'Pod', name: string, statuses: Status[]) => {
    if (!('client' in plane)) throw new Error('no client')
    const { metadata: { resourceVersion } } = await awaitObject(kind.toLowerCase(), name, () => true, 'there')
    const path = resourcePath(kinds[kind], { namespace: 'default' })
    const options = { timeoutSeconds: 1_800, idleTimeoutMs: 1_800_000, signal: over.signal, clock: systemClock, onOpen: () => {} }
    for await (const event of watch(plane.client, { path }, { resourceVersion, ...options })) {
      if (event.type !== 'BOOKMARK' && event.object.metadata.name === name) statuses.push((event.object as unknown as { status: Status }).status)
    }
  }
  const [history, podHistory]: [DittoServerStatus[], PodStatus[]] = [[], []]
  const recording = Promise.all([record('DittoServer', 'files', history), record('Pod', server.pod, podHistory)])
    .catch((error: unknown) => { if (!over.signal.aborted) throw error })
  /** Each change of the status of a condition, as far as it was recorded. */
  const course = (type: string, statuses: readonly Pick<PodStatus, 'conditions'>[] = history) =>
    statuses.map(({ conditions = [] }) => conditions.find(condition => condition.type === type)?.status)
      .filter((status, index, all) => status !== all[index - 1])

  /** Not ready, and not because its spec is refused. */
  const isLacking = ({ conditions = [] }: DittoServerStatus) => conditions.some(({ type, status }) => type === 'Ready' && status !== 'True') &&
    conditions.some(({ type, status }) => type === 'ConfigReady' && status === 'True')

  t.test('a running server stays available', async t => {
    const time = stopwatch(t)
    await patch('dittoserver', 'files', { spec: { storage: { metadataSize: '2Gi' } } })
    await eventually(async () => (await get<FoundClaim>('pvc', 'metadata-files-0'))?.status?.capacity?.storage === '2Gi', 'grown', patience)
    await awaitCondition('files', 'StorageReady', 'True', 'StorageReady', patience)
    await awaitCondition('files', 'Progressing', 'False', 'ReconcileComplete', patience)
    time.lap('a volume has grown')

    proxy?.suffer(({ isLease }) => isLease ? { kind: 'passes' } : { kind: 'answered', status: 504, reason: 'Timeout' })
    await run(['delete', 'service', 'files-file'])
    await patch('dittoserver', 'files', { metadata: { annotations: { 'example.com/look': 'again' } } })
    await delay(20_000)
    t.equal(await get('service', 'files-file'), undefined, 'nothing could be done')
    proxy?.recover()
    await awaitObject('service', 'files-file', () => true, 'made again', patience)
    await awaitCondition('files', 'Progressing', 'False', 'ReconcileComplete', patience)
    time.lap('a brown-out is over')

    const { configHash } = history.at(-1) ?? {}
    t.match(configHash, /./)
    await patch('dittoserver', 'files', { spec: { smb: { enabled: true, port: 12049 } } })
    await awaitCondition('files', 'ConfigReady', 'False', 'PortConflict', patience)
    t.equal(history.at(-1)?.configHash, configHash, 'a refusal keeps it')
    await patch('dittoserver', 'files', { spec: { smb: { enabled: false, port: null } } })
    await awaitCondition('files', 'ConfigReady', 'True', 'ConfigValid', patience)
    time.lap('a refusal is corrected')

    const next = await startOperator()
    story.operator.child.kill('SIGKILL')
    await eventually(() => Promise.resolve(next.lines.some(({ msg }) => msg === 'this process is the leader')), 'the other one leads', patience)
    await run(['delete', 'service', 'files-file'])
    await awaitObject('service', 'files-file', () => true, 'made again', patience)
    await awaitCondition('files', 'Ready', 'True', 'AllConditionsMet', patience)
    time.lap('another process is the leader')

    over.abort()
    await recording
    t.ok(history.length > 5, `${history.length} states`)
    t.strictSame(course('StorageReady'), ['True'])
    t.strictSame(course('ConfigReady'), ['True', 'False', 'True'], 'the refusal is told')
    t.strictSame([...new Set(history.map(status => status.configHash))], [configHash], 'the hash')
    // On a busy machine a probe of the pod may fail: then the server was not ready, and its status may say so.
    const unready = course('Ready', podHistory).filter(status => status !== 'True').length
    if (unready > 0) t.comment(`the pod was not ready ${unready} times`)
    const told = (type: string) => course(type).filter(status => status !== 'True').length
    for (const status of history.filter(isLacking)) t.comment(JSON.stringify(status))
    t.ok(told('Available') <= unready, `Available: ${course('Available').join()}`)
    t.ok(told('Ready') <= unready + 1, `Ready: the refusal alone is told beside: ${course('Ready').join()}`)
    const ready = [...new Set(history.map(({ readyReplicas }) => readyReplicas))]
    t.strictSame(ready.filter(count => unready === 0 || count !== 0), [1], 'ready replicas')
    t.equal(await starts(server.pod), 1, 'the server was started once')
    t.strictSame(faults, [])
    time.total('growth, a brown-out, a refusal and another leader')
  })
}
