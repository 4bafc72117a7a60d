import t from 'tap'
import { eventually } from '../control-plane/control-plane.ts'
import { visitsOf } from '../e2e/interesting-values.ts'
import { changeOf, chosen, spell, undo } from '../e2e/visit.ts'
import { adminSecret, fileServer, isReady, serverWith } from './file-server.ts'
import { patience, startStory } from './story.ts'
import { stopwatch } from './stopwatch.ts'
import type { Found } from '../e2e/kubectl-user.ts'

// Each property of a server that runs is changed to each value of interest, and back. Either it runs with the change, or its status says
// why not; and once the change is taken back it runs again, whatever state it was in. test/e2e/walk.test.ts compares the objects.

const all = visitsOf()
/** WALK_VISITS=all takes more than an hour: DittoFS listens on fixed ports, so one server is walked at a time. */
const visits = chosen(all, process.env.WALK_VISITS, 8)

/** The message of `Available` if the cause is unknown. */
const vague = 'NoReplicasAvailable'

/** Of a server whose present spec was judged: how it is. Undefined: that is not decided yet. */
function verdictOn ({ metadata: { generation }, spec, status }: Found): string | undefined {
  if (status?.observedGeneration !== generation) return undefined
  const told = (status?.conditions ?? []).filter(({ observedGeneration }) => observedGeneration === generation)
  if (isReady({ status: { conditions: told } } as unknown as Found)) return (spec as { replicas?: number }).replicas === 0 ? 'stopped' : 'runs'
  const cause = told.find(({ type, status, reason }) => status === 'False' && ['ConfigReady', 'DatabaseReady', 'StorageReady', 'Available'].includes(type) && reason !== vague)
  return cause && `${cause.type}: ${cause.reason}`
}

const story = await startStory(t)
if (story) {
  const { apply, get, patch, plane, operator, faults } = story
  t.setTimeout(4 * 3_600_000)
  await apply(adminSecret)
  await apply(serverWith('files'))
  const server = await fileServer(story, 'files')
  await server.awaitReady()

  const find = async () => await get<Found>('dittoserver', 'files') ?? ({ metadata: {} } as Found)
  const awaitVerdict = async (what: string, test: (verdict: string | undefined) => boolean) => await eventually(async () => {
    const verdict = verdictOn(await find())
    return test(verdict) && verdict
  }, what, patience)

  await t.test(`${visits.length} of ${all.length} visits`, async t => {
    const time = stopwatch(t)
    const tally: Record<string, number> = {}
    const count = (what: string) => { tally[what] = (tally[what] ?? 0) + 1 }
    for (const visit of visits) {
      const { spec: before } = await find()
      const change = async (spec: unknown) =>
        (await plane.kubectl(['patch', 'dittoserver', 'files', '--type=merge', '-p', JSON.stringify({ spec })])).code === 0
      if (!await change(changeOf(visit))) {
        count('denied')
        continue
      }
      const verdict = await awaitVerdict(`${spell(visit)}: runs, or says why not`, Boolean)
      count(verdict || 'nothing')
      // Volumes that have grown do not shrink, and a server that has a password does not lose it.
      if (!await change(undo(before, visit))) count('not taken back')
      const again = await awaitVerdict(`${spell(visit)} (${String(verdict)}): runs again`, found => found === 'runs').catch((error: unknown) => error as Error)
      if (again instanceof Error) {
        t.fail(`${again.message}; it is ${JSON.stringify((await find()).status?.conditions)}`)
        await patch('dittoserver', 'files', { spec: before })
        await server.awaitReady()
      } else t.equal(await server.health(), 200, `${spell(visit)} (${String(verdict)}), and back`)
    }
    t.comment(Object.entries(tally).map(([what, times]) => `${what} ${times}`).join(', '))
    t.ok((tally.runs ?? 0) > 0, 'some changes are followed')
    t.strictSame(operator.lines.filter(({ level }) => level === 'error'), [])
    t.strictSame(faults, [])
    time.total(`${visits.length} changes, and back`)
  })
}
