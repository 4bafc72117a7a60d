import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { eventually } from '../control-plane/control-plane.ts'
import { resizeSteps, type ResizeStep } from '../node/node.ts'
import { listeners } from '../../src/dittoserver/ports.ts'
import { adminSecret, fileServer, serverWith } from './file-server.ts'
import { openNfsConnection } from './nfs-connection.ts'
import { patience, startStory } from './story.ts'
import { stopwatch } from './stopwatch.ts'
import type { Test } from 'tap'
import type { FoundClaim, FoundStatefulSet } from '../e2e/kubectl-user.ts'

// A volume grows while its server runs, whichever step the operator is killed at.

/** The program that grows volumes waits before each step until the test opens its gate. */
const gate = () => ({ reached: Promise.withResolvers<undefined>(), open: Promise.withResolvers<undefined>() })
const gates = new Map(resizeSteps.map(step => [step, gate()]))
const beforeResize = async (step: ResizeStep) => {
  gates.get(step)?.reached.resolve(undefined)
  await gates.get(step)?.open.promise
}

const story = process.env.KIND_KUBECONFIG ? t.plan(0, 'the volumes of kind do not grow') : await startStory(t, { beforeResize })
if (story) {
  const { apply, patch, get, awaitObject, awaitCondition, node, starts, startOperator, faults } = story
  await apply(adminSecret)
  await apply(serverWith('files'))
  const server = await fileServer(story, 'files')
  await server.awaitReady()
  // What the pod was restarted with must not be lost with the StatefulSet that is replaced: the pod would be restarted once more.
  await story.run(['rollout', 'restart', 'statefulset/files'])
  await eventually(async () => await starts(server.pod) === 2, 'restarted by hand', patience)
  await server.awaitReady()
  await awaitCondition('files', 'Ready', 'True', 'AllConditionsMet', patience)

  const { pid } = node?.runningIn(server.pod) ?? {}
  const connection = await openNfsConnection(t, await story.reach(server.pod, listeners.nfs))
  const goesOn = async (t: Test) => {
    await connection.ping()
    t.equal(node?.runningIn(server.pod).pid, pid, 'the process')
    t.equal(await starts(server.pod), 2, 'not started again')
  }

  let { operator } = story
  const kill = async () => {
    operator.child.kill('SIGKILL')
    await operator.exited
  }
  /** Leads at once, and has looked at the server. */
  const restart = async () => {
    operator = await startOperator(['--no-leader-elect'])
    const passed = /controller_runtime_reconcile_total\{[^}]*result="success"[^}]*\} [1-9]/
    await eventually(async () => passed.test((await operator.get('/metrics')).text), 'a pass', patience)
  }
  const claim = async () => await get<FoundClaim>('pvc', 'metadata-files-0')

  t.test('a volume grows', async t => {
    const time = stopwatch(t)
    const before = await get<FoundStatefulSet>('statefulset', 'files')
    await patch('dittoserver', 'files', { spec: { storage: { metadataSize: '2Gi' } } })
    await awaitObject<FoundClaim>('pvc', 'metadata-files-0', ({ spec }) => spec.resources.requests.storage === '2Gi', 'asks for more')
    await kill()
    time.lap('claim patched, operator killed')
    await goesOn(t)
    await restart()
    const isNew = ({ metadata }: FoundStatefulSet) => metadata.uid !== before?.metadata.uid
    const after = await awaitObject('statefulset', 'files', isNew, 'replaced', patience)
    await kill()
    time.lap('StatefulSet replaced, operator killed')
    await goesOn(t)
    t.match(after.spec.volumeClaimTemplates, [{ metadata: { name: 'metadata' }, spec: { resources: { requests: { storage: '2Gi' } } } }])

    for (const step of resizeSteps) {
      await restart()
      await gates.get(step)?.reached.promise
      const { message } = await awaitCondition('files', 'StorageReady', 'True', 'Expanding', patience)
      t.match(message, 'metadata-files-0', `before ${step}: ${message}`)
      await awaitCondition('files', 'Ready', 'True', 'AllConditionsMet', patience)
      await goesOn(t)
      await kill()
      gates.get(step)?.open.resolve(undefined)
      time.lap(`${step}, operator killed`)
    }
    await eventually(async () => (await claim())?.status?.capacity?.storage === '2Gi', 'grown', patience)
    await restart()
    await awaitCondition('files', 'StorageReady', 'True', 'StorageReady', patience)
    time.lap('StorageReady=True')
    t.strictSame((await claim())?.status?.conditions ?? [], [])
    t.equal((await get('statefulset', 'files'))?.metadata.uid, after.metadata.uid, 'replaced once')
    await delay(5000)
    await awaitCondition('files', 'Ready', 'True', 'AllConditionsMet', patience)
    await goesOn(t)
    time.total('growth with the operator killed seven times')
    t.strictSame(faults, [])
  })
}
