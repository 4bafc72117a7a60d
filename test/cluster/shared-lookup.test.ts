import t from 'tap'
import { SharedLookup } from '../../src/cluster/shared-lookup.ts'
import { absent, present, unknown } from '../../src/rules/facts.ts'
import type { Fact } from '../../src/rules/facts.ts'

function lookup (maxEntries = 10) {
  const calls: { key: string, signal: AbortSignal, answer: (fact: Fact<string>) => void }[] = []
  const clock = { now: 0 }
  const shared = new SharedLookup<string>({
    fetch: async (key, signal) => await new Promise(resolve => { calls.push({ key, signal, answer: resolve }) }),
    reuseMs: 2000,
    maxEntries,
    now: () => clock.now,
  })
  return { shared, calls, clock }
}

const forever = new AbortController().signal

await t.test('concurrent callers share one request', async t => {
  const { shared, calls } = lookup()
  const answers = [shared.find('a', forever), shared.find('a', forever), shared.find('b', forever)]
  t.strictSame(calls.map(({ key }) => key), ['a', 'b'])
  calls[0]?.answer(present('A'))
  calls[1]?.answer(unknown('busy'))
  t.strictSame(await Promise.all(answers.map(async answer => await answer)), [present('A'), present('A'), unknown('busy')])
})

await t.test('a positive answer is reused for its time, other answers are not', async t => {
  const { shared, calls, clock } = lookup()
  for (const fact of [absent, unknown('busy'), present('A')]) {
    const answer = shared.find('a', forever)
    calls.at(-1)?.answer(fact)
    t.strictSame(await answer, fact)
  }
  t.equal(calls.length, 3)
  clock.now = 1999
  t.strictSame(await shared.find('a', forever), present('A'))
  t.equal(calls.length, 3)
  clock.now = 2000
  const answer = shared.find('a', forever)
  calls.at(-1)?.answer(absent)
  t.strictSame(await answer, absent)
})

await t.test('an absence counts only from a request that started after the call', async t => {
  const { shared, calls } = lookup()
  const first = shared.find('a', forever)
  const later = [shared.find('a', forever), shared.find('a', forever)]
  calls[0]?.answer(absent)
  t.strictSame(await first, absent)
  t.equal(calls.length, 2, 'one more for both')
  calls[1]?.answer(present('just created'))
  t.strictSame(await Promise.all(later.map(async answer => await answer)), [present('just created'), present('just created')])
})

await t.test('an aborted caller does not affect the others; the last one aborts the request', async t => {
  const { shared, calls } = lookup()
  const [one, two] = [new AbortController(), new AbortController()]
  const answers = [shared.find('a', one.signal), shared.find('a', two.signal)]
  one.abort()
  t.strictSame(await answers[0], unknown('timed out'))
  t.equal(calls[0]?.signal.aborted, false)
  two.abort()
  t.strictSame(await answers[1], unknown('timed out'))
  t.equal(calls[0]?.signal.aborted, true)
  t.strictSame(await shared.find('b', AbortSignal.abort()), unknown('timed out'))
})

await t.test('after the last caller has aborted, the next one starts a new request', async t => {
  const { shared, calls } = lookup()
  const one = new AbortController()
  const given = shared.find('a', one.signal)
  one.abort()
  await given
  const next = shared.find('a', forever)
  t.equal(calls.length, 2)
  calls[1]?.answer(present('A'))
  t.strictSame(await next, present('A'))
})

await t.test('memory is bounded', async t => {
  const { shared, calls } = lookup(2)
  for (const key of ['a', 'b', 'c']) {
    const answer = shared.find(key, forever)
    calls.at(-1)?.answer(present(key))
    await answer
  }
  await shared.find('c', forever)
  await shared.find('b', forever)
  t.equal(calls.length, 3)
  const again = shared.find('a', forever)
  t.equal(calls.length, 4, 'the oldest was dropped')
  calls.at(-1)?.answer(absent)
  await again
})
