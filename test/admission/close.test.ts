import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { review, startWebhook } from './webhook.ts'

t.test('spare connections do not hold up the end', async t => {
  const { app, port, rawConnection, review: send } = await startWebhook(t)
  t.equal((await send('/validate')).status, 200)
  const plain = connect(port, '127.0.0.1')
  await once(plain, 'connect')
  const spare = await rawConnection()
  const ended = [once(plain, 'close'), once(spare, 'close')]
  for (const socket of [plain, spare]) socket.on('error', () => {})
  const started = performance.now()
  await app.close()
  await Promise.all(ended)
  t.ok(performance.now() - started < 3_000)
})

t.test('a request that is on its way when the close begins is answered', async t => {
  const { app, rawConnection } = await startWebhook(t)
  const socket = await rawConnection()
  const body = JSON.stringify(review())
  socket.write(`POST /validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`)
  await new Promise(resolve => { setTimeout(resolve, 50) })
  const closed = app.close()
  setTimeout(() => socket.write(body), 1_500)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  await closed
  t.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
  t.match(answer, /\r\nconnection: close\r\n/i)
  t.match(answer, '"allowed":true')
})
