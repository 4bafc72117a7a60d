import t from 'tap'
import { Backoff, goDuration } from './backoff.ts'

t.test('the delay doubles up to the maximum, and is reset after a while', async t => {
  const backoff = new Backoff(10, 50)
  t.strictSame([0, 0, 10, 30, 70].map(time => backoff.next(time)), [0, 10, 20, 40, 50])
  t.equal(backoff.next(70 + 50 + 101), 0, 'it ran for more than twice the longest')
  t.equal(backoff.next(300), 10)
})

t.test('durations in the format of Go', async t => {
  t.strictSame([500, 1000, 10_000, 60_000, 80_000, 300_000].map(goDuration), ['500ms', '1s', '10s', '1m0s', '1m20s', '5m0s'])
})
