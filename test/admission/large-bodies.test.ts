import t from 'tap'
import { isOverladen, mostValues } from '../../src/admission/body.ts'
import { review, server, startWebhook } from './webhook.ts'

const webhook = await startWebhook(t)

t.test('more values than any object has', async t => {
  const zeros = (count: number) => Buffer.from(`[${'0,'.repeat(count - 1)}0]`)
  t.notOk(isOverladen(zeros(mostValues + 1)))
  t.ok(isOverladen(zeros(mostValues + 2)))
})

t.test('large bodies give back what they took', async t => {
  const large = JSON.stringify(review({ object: server({}, { annotations: { note: 'x'.repeat(6_500_000) } }) }))
  for (let round = 0; round < 5; round++) t.equal((await webhook.send('/mutate', large)).status, 200, `${round}`)
  t.match(await webhook.send('/mutate', large.slice(0, -1)), { status: 400 })
})
