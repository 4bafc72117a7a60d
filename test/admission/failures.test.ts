import Fastify, { LogController } from 'fastify'
import { Duplex } from 'node:stream'
import { pino } from 'pino'
import t from 'tap'
import { answerClientError, answerFailures } from '../../src/admission/failures.ts'

function logged () {
  const lines: Record<string, unknown>[] = []
  return { lines, log: pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) }) }
}

t.test('a failure of the server is told in the log, and not to the client', async t => {
  const { lines, log } = logged()
  const app = Fastify({ loggerInstance: log, logController: new LogController({ disableRequestLogging: true }) })
  t.teardown(async () => { await app.close() })
  answerFailures(app as never)
  const failing = (statusCode?: number) => () => { throw Object.assign(new Error('the cause'), statusCode === undefined ? {} : { statusCode }) }
  app.get('/bug', failing())
  app.get('/503', failing(503))
  app.get('/499', failing(499))
  for (const [path, code, reason, message] of [
    ['/bug', 500, 'InternalError', 'internal error'], ['/503', 503, 'Unknown', 'internal error'], ['/499', 499, 'Unknown', 'the cause'],
  ] as const) {
    const answer = await app.inject(path)
    t.equal(answer.statusCode, code)
    t.strictSame(answer.json(), { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message })
    const told = code < 500
      ? { level: 40, msg: 'request refused', code, cause: 'the cause' }
      : { level: 50, msg: 'request failed', err: { message: 'the cause' } }
    t.match(lines.at(-1), { ...told, method: 'GET', url: path, from: '127.0.0.1' })
  }
})

/** What an error of a connection leads to: the answer, whether the connection is over, the lines of the log. */
function answered (code: string | undefined, state: { readonly destroyed?: true, readonly ended?: true } = {}) {
  const { lines, log } = logged()
  let answer = ''
  const socket = new Duplex({
    read () {},
    write (chunk, _encoding, done) {
      answer += String(chunk)
      done()
    },
  })
  socket.on('error', () => {})
  if (state.destroyed) socket.destroy()
  if (state.ended) socket.end()
  answerClientError(log as never, Object.assign(new Error('the cause'), { code }), socket as never)
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  return { status: head.split('\r\n')[0], body: body && JSON.parse(body) as unknown, over: socket.destroyed, lines }
}

t.test('before there is a request', async t => {
  for (const [error, code, status, message] of [
    ['ERR_HTTP_REQUEST_TIMEOUT', 408, '408 Request Timeout', 'the request took too long to arrive'],
    ['HPE_HEADER_OVERFLOW', 431, '431 Request Header Fields Too Large', 'the headers are too large'],
    ['HPE_INVALID_METHOD', 400, '400 Bad Request', 'this is no HTTP request'],
    [undefined, 400, '400 Bad Request', 'this is no HTTP request'],
  ] as const) {
    const { lines, ...rest } = answered(error)
    t.match(rest, { status: `HTTP/1.1 ${status}`, body: { kind: 'Status', code, message }, over: true })
    t.match(lines, [{ level: 20, msg: 'connection refused', code, cause: 'the cause' }])
  }
})

t.test('a client that has gone gets no answer', async t => {
  t.strictSame(answered('ECONNRESET'), { status: '', body: '', over: false, lines: [] }, 'Node ends the connection itself')
  t.strictSame(answered('HPE_INVALID_METHOD', { destroyed: true }), { status: '', body: '', over: true, lines: [] })
  t.match(answered('HPE_INVALID_METHOD', { ended: true }), { status: '', over: true, lines: [{ code: 400 }] }, 'nothing more can be written')
})
