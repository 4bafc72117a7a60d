import t from 'tap'
import { Backoff } from '../../src/cluster/backoff.ts'

await t.test('the delay doubles up to the cap, and restarts after a reset', async t => {
  const backoff = new Backoff({ firstMs: 500, capMs: 30_000, random: () => 0.999_999 })
  const delays = Array.from({ length: 9 }, () => Math.round(backoff.next()))
  t.strictSame(delays, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
  backoff.reset()
  t.equal(Math.round(backoff.next()), 500)
})

await t.test('jitter subtracts up to half', async t => {
  t.equal(new Backoff({ firstMs: 500, capMs: 30_000, random: () => 0 }).next(), 250)
  for (let n = 0; n < 100; n++) {
    const delay = new Backoff({ firstMs: 500, capMs: 30_000 }).next()
    if (delay < 250 || delay > 500) t.fail(`${delay}`)
  }
})

await t.test('a delay requested by the API server is respected, up to the cap', async t => {
  const backoff = new Backoff({ firstMs: 500, capMs: 30_000 })
  t.equal(backoff.next(7000), 7000)
  t.equal(backoff.next(70_000), 30_000)
})

await t.test('ten thousand failures do not overflow', async t => {
  const backoff = new Backoff({ firstMs: 1, capMs: 30_000, random: () => 0 })
  for (let n = 0; n < 10_000; n++) backoff.next()
  t.equal(backoff.next(), 15_000)
})
