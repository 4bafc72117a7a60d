import t from 'tap'
import type { ApiRequest } from '../../src/cluster/api-client.ts'
import { EventRecorder } from '../../src/controller/event-recorder.ts'
import type { Occurrence } from '../../src/controller/events.ts'
import { observation } from './observation.ts'

const { server } = observation()
const occurrence = (change: Partial<Occurrence> = {}): Occurrence => ({ type: 'Normal', reason: 'Ready', action: 'Observe', note: 'fine', ...change })

function recorder (answer: (request: ApiRequest) => Promise<unknown> = async () => await Promise.resolve({})) {
  const sent: ApiRequest[] = []
  const warnings: unknown[] = []
  let now = 0
  const events = new EventRecorder({
    client: {
      request: async <Reply>(request: ApiRequest) => {
        sent.push(request)
        return await answer(request) as Reply
      },
    },
    log: { warn: (...words: unknown[]) => { warnings.push(words) }, debug: () => {} },
    clock: { monotonic: () => now, wall: () => new Date(now), sleep: async () => {} },
    random: () => 0.5,
    fence: () => {},
  })
  const advance = (milliseconds: number) => { now += milliseconds }
  const settled = async () => { for (let i = 0; i < 200; i++) await Promise.resolve() }
  return { events, sent, warnings, advance, settled }
}

t.test('the first event is created, repeated events increment its count', async t => {
  const { events, sent, advance, settled } = recorder()
  events.record(server, occurrence())
  events.record(server, occurrence())
  events.record(server, occurrence({ note: 'other' }))
  await settled()
  t.match(sent, [
    { method: 'POST', path: '/apis/events.k8s.io/v1/namespaces/files/events', body: { reason: 'Ready', regarding: { name: 'demo', uid: 'server-uid' } } },
    { method: 'PATCH', body: { series: { count: 2, lastObservedTime: /000Z$/ } } },
    { method: 'POST', body: { note: 'other' } },
  ])
  advance(700_000)
  events.record(server, occurrence())
  await settled()
  t.equal(sent[3]?.method, 'POST', 'much later it is an event of its own')
})

t.test('the caller does not wait', async t => {
  const { events, sent, settled } = recorder(async () => await new Promise(() => {}))
  for (let i = 0; i < 5; i++) events.record(server, occurrence({ note: String(i) }))
  await settled()
  t.equal(sent.length, 1, 'the others wait for the one that hangs')
})

t.test('a failure is logged, and the next event is sent', async t => {
  const { events, sent, warnings, settled } = recorder(async () => await Promise.reject(new Error('no')))
  events.record(server, occurrence())
  events.record(server, occurrence({ note: 'other' }))
  await settled()
  t.equal(sent.length, 2)
  t.equal(warnings.length, 2)
})

t.test('events of one server are rate-limited', async t => {
  const { events, sent, advance, settled } = recorder()
  for (let i = 0; i < 100; i++) events.record(server, occurrence({ note: String(i) }))
  await settled()
  t.equal(sent.length, 25)
  advance(600_000)
  for (let i = 0; i < 100; i++) events.record(server, occurrence({ note: `later ${i}` }))
  await settled()
  t.equal(sent.length, 27, 'one more in five minutes')
})

t.test('a note has the maximum length of the API server', async t => {
  const { events, sent, settled } = recorder()
  events.record(server, occurrence({ note: '🙂'.repeat(2000) }))
  await settled()
  t.equal([...(sent[0]?.body as { note: string }).note].length, 1024)
})

t.test('after stop nothing is recorded', async t => {
  const { events, sent, settled } = recorder()
  await events.stop()
  events.record(server, occurrence())
  await settled()
  t.strictSame(sent, [])
})
