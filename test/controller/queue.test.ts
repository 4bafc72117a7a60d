import t from 'tap'
import { systemClock, type Clock } from '../../src/clock.ts'
import { Queue, type QueueOptions, type WorkResult } from '../../src/controller/queue.ts'

/** A clock that a test advances. */
class ManualClock implements Clock {
  #now = 0
  #due: { at: number, run: () => void }[] = []
  monotonic (): number { return this.#now }
  wall (): Date { return new Date(this.#now) }
  readonly sleep = async (milliseconds: number, signal: AbortSignal): Promise<void> => {
    if (milliseconds === 0) return await turn()
    const { promise, resolve } = Promise.withResolvers<void>()
    const entry = { at: this.#now + milliseconds, run: resolve }
    this.#due.push(entry)
    signal.addEventListener('abort', () => {
      this.#due = this.#due.filter(other => other !== entry)
      resolve()
    })
    await promise
  }

  get waiting (): number[] { return this.#due.map(({ at }) => at - this.#now) }

  async pass (milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds
    for (;;) {
      const next = this.#due.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#now = next.at
      this.#due.splice(this.#due.indexOf(next), 1)
      next.run()
      await settle()
    }
    this.#now = until
    await settle()
  }
}

const turn = async () => await new Promise<void>(resolve => setImmediate(resolve))
/** Runs the pending work, and the passes that start after that. */
const settle = async () => {
  for (let turns = 0; turns < 4; turns++) await turn()
}

function queueWith (options: Partial<QueueOptions> = {}) {
  const clock = new ManualClock()
  const begun: string[] = []
  const open = new Map<string, { resolve: (result: WorkResult) => void, reject: (error: Error) => void }>()
  const failures: { key: string, retryInMs: number }[] = []
  const queue = new Queue({
    concurrency: 2,
    clock,
    random: () => 1,
    worker: async key => {
      begun.push(key)
      if (open.has(key)) t.fail(`${key} is worked on twice at once`)
      const { promise, resolve, reject } = Promise.withResolvers<WorkResult>()
      open.set(key, { resolve, reject })
      return await promise.finally(() => open.delete(key))
    },
    onFailure: (key, _error, retryInMs) => failures.push({ key, retryInMs }),
    ...options,
  })
  const finish = async (key: string, result: WorkResult = {}) => {
    open.get(key)?.resolve(result)
    await settle()
  }
  const fail = async (key: string) => {
    open.get(key)?.reject(new Error('no'))
    await settle()
  }
  return { queue, clock, begun, failures, finish, fail }
}

t.test('a key that is added many times is processed once', async t => {
  const { queue, begun, finish } = queueWith({ concurrency: 1 })
  queue.add('a')
  for (let i = 0; i < 5; i++) queue.add('b')
  t.equal(queue.depth, 1)
  await finish('a')
  await finish('b')
  t.strictSame(begun, ['a', 'b'])
  t.equal(queue.size, 0, 'and is forgotten')
})

t.test('a key that is added while it is processed is processed once more afterwards', async t => {
  const { queue, begun, finish } = queueWith()
  queue.add('a')
  queue.add('a')
  queue.add('a')
  t.strictSame(begun, ['a'])
  await finish('a')
  t.strictSame(begun, ['a', 'a'])
  await finish('a')
  t.equal(queue.size, 0)
})

t.test('one pass starts in each turn of the event loop', async t => {
  const clock = systemClock
  const order: string[] = []
  const queue = new Queue({
    concurrency: 8,
    clock,
    worker: async key => {
      order.push(key)
      return {}
    },
    onFailure: () => {},
  })
  for (const key of 'abc') queue.add(key)
  for (let i = 1; i <= 3; i++) {
    await turn()
    order.push(`turn ${i}`)
  }
  await queue.stop()
  t.strictSame(order, ['a', 'b', 'turn 1', 'c', 'turn 2', 'turn 3'])
})

t.test('keys are processed in order, up to the configured concurrency', async t => {
  const { queue, begun, finish } = queueWith({ concurrency: 3 })
  for (const key of 'abcdef') queue.add(key)
  await settle()
  t.strictSame(begun, ['a', 'b', 'c'])
  t.equal(queue.depth, 3)
  await finish('b')
  await finish('a')
  t.strictSame(begun, ['a', 'b', 'c', 'd', 'e'])
})

t.test('failures are retried with exponential delays, for each key separately', async t => {
  const { queue, clock, begun, failures, finish, fail } = queueWith()
  queue.add('a')
  for (let i = 0; i < 12; i++) {
    await fail('a')
    const [wait = 0] = clock.waiting
    await clock.pass(wait - 1)
    t.equal(begun.length, i + 1, 'not before')
    await clock.pass(1)
  }
  t.strictSame(failures.map(({ retryInMs }) => retryInMs), [
    100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000,
  ])
  queue.add('b')
  await fail('b')
  t.equal(failures.at(-1)?.retryInMs, 100, 'of its own')
  await finish('a')
  queue.add('a')
  await fail('a')
  t.equal(failures.at(-1)?.retryInMs, 100, 'a success makes up for it')
})

t.test('half of a delay is random', async t => {
  for (const [random, delay] of [[0, 50], [0.5, 75], [1, 100]] as const) {
    const { queue, failures, fail } = queueWith({ random: () => random })
    queue.add('a')
    await fail('a')
    t.equal(failures[0]?.retryInMs, delay)
  }
})

t.test('a new event does not wait for the delay', async t => {
  const { queue, clock, begun, fail } = queueWith()
  queue.add('a')
  await fail('a')
  queue.add('a')
  t.strictSame(begun, ['a', 'a'])
  t.strictSame(clock.waiting, [], 'and the delayed try is called off')
})

t.test('a worker can request another pass', async t => {
  const { queue, clock, begun, finish } = queueWith()
  queue.add('a')
  await finish('a', { requeueAfter: 5_000 })
  await clock.pass(4_999)
  t.equal(begun.length, 1)
  await clock.pass(1)
  t.equal(begun.length, 2)
  await finish('a')
  t.equal(queue.size, 0)
})

t.test('stop waits for running work and accepts nothing more', async t => {
  const signals: AbortSignal[] = []
  const { promise, resolve } = Promise.withResolvers<WorkResult>()
  const failures: string[] = []
  const clock = new ManualClock()
  const queue = new Queue({
    concurrency: 1,
    clock,
    worker: async (_key, signal) => {
      signals.push(signal)
      return await promise
    },
    onFailure: key => failures.push(key),
  })
  queue.add('a')
  queue.add('b')
  let stopped = false
  const stop = queue.stop().then(() => { stopped = true })
  await settle()
  t.equal(signals[0]?.aborted, true)
  t.equal(stopped, false)
  resolve({})
  await stop
  queue.add('c')
  await clock.pass(100_000)
  t.equal(signals.length, 1)
  t.strictSame(failures, [])
  t.equal(queue.size, 0)
})

t.test('metrics', async t => {
  const figures: string[] = []
  const { queue, clock, finish, fail } = queueWith({
    concurrency: 1,
    observer: {
      added: () => figures.push('added'),
      retried: () => figures.push('retried'),
      started: seconds => figures.push(`started after ${seconds}`),
      finished: (seconds, failed) => figures.push(`finished after ${seconds}${failed ? ', failed' : ''}`),
    },
  })
  queue.add('a')
  queue.add('b')
  await clock.pass(2_000)
  await fail('a')
  await finish('b')
  t.strictSame(figures, [
    'added', 'started after 0', 'added', 'retried', 'finished after 2, failed', 'started after 2', 'finished after 0',
  ])
})
