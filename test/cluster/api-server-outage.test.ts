import t from 'tap'
import { capturedLog } from './scripted-api.ts'

await t.test('an outage that all watches notice is logged in two lines', async t => {
  const { outage, messages, lines } = capturedLog()
  outage.back('pods')
  for (let retry = 0; retry < 5; retry++) {
    for (const watch of ['pods', 'secrets', 'services']) outage.away(watch, 'the API server is unreachable (ECONNREFUSED)', new Error('refused'))
  }
  t.strictSame(messages('warn', 'info'), ['waiting for the API server'])
  t.match(lines[0]?.fields, { watch: 'pods', reason: 'the API server is unreachable (ECONNREFUSED)', err: { message: 'refused' } })
  for (const watch of ['services', 'pods', 'pods']) outage.back(watch)
  t.equal(lines.length, 1, 'one still waits')
  outage.back('secrets')
  t.strictSame(messages('warn', 'info'), ['waiting for the API server', 'the API server is reachable again'])
  outage.away('pods', 'again', new Error('again'))
  t.equal(lines.length, 3)
})
