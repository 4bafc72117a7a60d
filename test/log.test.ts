import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { ApiError, ConnectionError } from '../src/cluster/api-error.ts'
import { loggedError } from '../src/log.ts'

t.test('only selected properties of an error are logged', async t => {
  const cause = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET', options: { headers: { Authorization: 'Bearer hunter2' } } })
  const error = Object.assign(new ConnectionError('no answer', 'ECONNRESET', { cause }), { request: { body: { data: 'hunter2' } } })
  const logged = loggedError(error)
  t.match(logged, { type: 'ConnectionError', message: 'no answer', code: 'ECONNRESET', cause: { message: 'socket hang up', code: 'ECONNRESET' } })
  t.match(JSON.stringify(logged), 'stack')
  t.notMatch(JSON.stringify(logged), 'hunter2')
  t.match(loggedError(new ApiError(409, { reason: 'Conflict', message: 'changed' })), { type: 'ApiError', status: 409, reason: 'Conflict', message: 'changed' })
  t.strictSame(loggedError('a string'), { message: 'a string' })
  const loop = new Error('round')
  loop.cause = loop
  t.match(JSON.stringify(loggedError(loop)), 'round', 'ends')
})

t.test('the logger does this in both formats', async t => {
  const program = `
    import { createLogger } from '${fileURLToPath(new URL('../src/log.ts', import.meta.url))}'
    const log = await createLogger('info', process.argv[1])
    const err = Object.assign(new Error('no answer'), { request: 'hunter2' })
    log.warn({ err, namespace: 'files' }, 'a lookup failed')
    log.debug('not at this level')
    log.level = 'debug'
    log.debug('at this one')
    log.flush(() => {})`
  for (const format of ['json', 'text']) {
    const { stderr, status } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', program, format], { encoding: 'utf8' })
    t.equal(status, 0, stderr)
    t.match(stderr, /a lookup failed/)
    t.match(stderr, /no answer/)
    t.match(stderr, /at this one/, 'a level that is changed holds at once')
    t.notMatch(stderr, /not at this level|hunter2/)
    if (format === 'json') t.match(JSON.parse(stderr.split('\n')[0] ?? ''), { level: 'warn', namespace: 'files', err: { type: 'Error', message: 'no answer' } })
  }
})
