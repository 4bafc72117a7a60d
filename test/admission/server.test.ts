import { once } from 'node:events'
import { Agent } from 'node:https'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { mostBytes } from '../../src/admission/intake.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { absent, present } from '../../src/rules/facts.ts'
import { embedded, review, server, startWebhook, storageClasses } from './webhook.ts'

// What the server does around a review: limits, refusals, log lines, metrics.

const withSecret = server({ s3: { credentialsSecretRef: { secretName: 's3' } } })
const withLookup = (secret: Cluster['secret']): Cluster => {
  const rest = embedded(storageClasses)
  return {
    start: async () => {},
    stop: async () => {},
    stale: () => undefined,
    storageClass: (name, signal) => rest.storageClass(name, signal),
    storageClasses: () => rest.storageClasses(),
    secret,
    perconaServed: signal => rest.perconaServed(signal),
    perconaOperator: signal => rest.perconaOperator(signal),
    perconaCluster: (namespace, name, signal) => rest.perconaCluster(namespace, name, signal),
  }
}

let secret: Cluster['secret'] = () => absent
const webhook = await startWebhook(t, { cluster: withLookup((...asked) => secret(...asked)) })

t.test('what is no review gets a Status and a log line', async t => {
  const { send, lines } = webhook
  const cases = [
    ['POST', '/validate', '', 400, 'BadRequest', 'the body is empty'],
    ['POST', '/mutate', '{', 400, 'BadRequest', 'the body is not JSON'],
    ['POST', '/validate?timeout=1s', '{}', 400, 'BadRequest', 'the body must be an AdmissionReview'],
    ['GET', '/validate?a', '', 405, 'MethodNotAllowed', 'GET is not allowed here: use POST'],
    ['PUT', '/mutate', '{}', 405, 'MethodNotAllowed', 'PUT is not allowed here: use POST'],
    ['POST', '/nowhere', '{}', 404, 'NotFound', 'no such path: POST an AdmissionReview to /mutate or /validate'],
    ['GET', '/', '', 404, 'NotFound', 'no such path: POST an AdmissionReview to /mutate or /validate'],
  ] as const
  for (const [method, path, body, code, reason, message] of cases) {
    const before = lines.length
    const answer = await send(path, body, { method })
    t.equal(answer.status, code, `${method} ${path}`)
    t.strictSame(answer.body, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message })
    t.equal(answer.headers.allow, code === 405 ? 'POST' : undefined)
    t.equal(answer.headers['retry-after'], undefined)
    t.strictSame(lines.slice(before).map(({ msg, code, cause, method, url, from }) => ({ msg, code, cause, method, url, from })), [
      { msg: 'request refused', code, cause: message, method, url: path, from: '127.0.0.1' },
    ])
  }
  const long = await send(`/${'x'.repeat(1_000)}`, '{}')
  t.equal(long.status, 404)
  t.equal([...String(lines.at(-1)?.url)].length, 256, 'a log line does not show all of a long path')
  t.match(await send('/validate', '{}', { headers: { 'content-type': 'text/yaml' } }), { status: 415, body: { reason: 'UnsupportedMediaType' } })
})

t.test('no more reviews at once than there may be, nor more bytes', async t => {
  let waiting = 0
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const cluster = withLookup(async () => {
    waiting++
    await promise
    return present({ lengths: new Map([['accessKeyId', 1], ['secretAccessKey', 1]]) })
  })
  const webhook = await startWebhook(t, { cluster, maxInFlight: 2 })
  const agent = new Agent({ ...webhook.agent.options, maxSockets: 10 })
  t.teardown(() => agent.destroy())
  const ask = async () => await webhook.send('/validate', JSON.stringify(review({ object: withSecret })), { agent })
  const held = [ask(), ask()]
  const started = async () => await delay(5).then(async (): Promise<void> => { if (waiting < 2) await started() })
  await started()
  t.match(await webhook.metrics.registry.metrics(), 'in_flight{webhook="validate"} 2')
  t.match(await ask(), { status: 429, headers: { 'retry-after': '1' }, body: { code: 429, reason: 'TooManyRequests', message: 'too many reviews at once' } })
  resolve(undefined)
  for (const { status, body, headers } of await Promise.all(held)) {
    t.match([status, body.response?.allowed, headers.connection], [200, true, 'keep-alive'])
  }
  t.equal((await ask()).status, 200, 'and then there is room again')
  t.equal((await ask()).status, 200)
  const counted = await webhook.metrics.registry.metrics()
  t.match(counted, 'in_flight{webhook="validate"} 0')
  t.match(counted, 'requests_total{webhook="validate",code="429"} 1')
  t.match(counted, 'requests_total{webhook="validate",code="200"} 4')
  const seconds = Number(/latency_seconds_sum\{webhook="validate"\} (\S+)/.exec(counted)?.[1])
  t.ok(seconds > 0 && seconds < 20, `${seconds} s`)
  t.ok(mostBytes < 64 * 1024 * 1024 && mostBytes >= 4 * 7 * 1024 * 1024)
})

for (const [what, faulty] of [
  ['throws', () => { throw new Error('a bug in the operator') }],
  ['rejects', async () => await Promise.reject(new Error('a bug in the operator'))],
] as const) {
  t.test(`a bug in the operator: a lookup ${what}`, async t => {
    secret = faulty
    const { status, body } = await webhook.review('/validate', { object: withSecret })
    t.equal(status, 200)
    t.match(body.response, { allowed: false, status: { code: 500, reason: 'InternalError', message: /under uid 705ab4f5/ } })
    t.match(webhook.lines.at(-1), { level: 50, msg: 'review failed', webhook: 'validate', namespace: 'files', name: 'demo', err: { message: 'a bug in the operator' } })
    t.match(await webhook.metrics.registry.metrics(), what === 'throws' ? /panics_total\S* 1/ : /panics_total\S* 2/)
  })
}

t.test('a bug in the operator while it mutates: the object passes', async t => {
  const { log } = webhook.app
  const { debug } = log
  log.debug = () => { throw new Error('a bug in the operator') }
  t.teardown(() => { log.debug = debug })
  const { status, body } = await webhook.review('/mutate')
  t.equal(status, 200)
  t.match(body.response, { allowed: true, warnings: ['dittofs-operator could not apply its defaults; those of the CustomResourceDefinition hold'] })
  t.match(webhook.lines.at(-1), { level: 50, msg: 'review failed', webhook: 'mutate', name: 'demo' })
})

t.test('a log line tells how long the review took', async t => {
  const started = performance.now()
  await webhook.review('/validate', { object: server({ nfsPort: 0 }) })
  const took = performance.now() - started
  const { msg, allowed, ms } = webhook.lines.at(-1) ?? {}
  t.equal(msg, 'reviewed')
  t.equal(allowed, false)
  t.ok(Number(ms) >= 0 && Number(ms) <= took, `${String(ms)} ms of ${took} ms`)
})

t.test('a review that is allowed without a finding is logged at debug level', async t => {
  const { app: { log }, lines } = webhook
  const before = lines.length
  await webhook.review('/mutate')
  await webhook.review('/validate')
  t.equal(lines.length, before)
  await webhook.review('/validate', { object: server({ nfsPort: 111 }) })
  t.match(lines.slice(before), [{ msg: 'reviewed', level: 30, allowed: true, rules: ['PORT-PRIV'] }], 'a warning is one for everybody')
  const { level } = log
  log.level = 'debug'
  t.teardown(() => { log.level = level })
  await webhook.review('/mutate')
  await webhook.review('/validate')
  t.match(lines.slice(before + 1), [{ msg: 'reviewed', level: 20, webhook: 'mutate' }, { msg: 'reviewed', level: 20, webhook: 'validate' }])
})

t.test('what comes before there is a request', async t => {
  const { rawConnection } = webhook
  const said = async (text: string) => {
    const socket = await rawConnection()
    let answer = ''
    socket.on('data', chunk => { answer += String(chunk) })
    socket.on('error', () => {})
    socket.write(text)
    await once(socket, 'close')
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    return { head: head.split('\r\n'), body: JSON.parse(body) as unknown, length: Buffer.byteLength(body) }
  }
  const garbage = await said('no http at all\r\n\r\n')
  t.strictSame(garbage.head, ['HTTP/1.1 400 Bad Request', `content-length: ${garbage.length}`, 'content-type: application/json', 'connection: close'])
  t.match(garbage.body, { kind: 'Status', code: 400, message: 'this is no HTTP request' })
  const headers = await said(`POST /validate HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`)
  t.match([headers.head[0], headers.body], ['HTTP/1.1 431 Request Header Fields Too Large', { code: 431, message: 'the headers are too large' }])
})

t.test('one connection more than there may be is closed, and counted', async t => {
  const { port, rawConnection, metrics } = await startWebhook(t, { maxConnections: 1 })
  const first = await rawConnection()
  const second = connect(port, '127.0.0.1')
  second.on('error', () => {})
  await once(second, 'close')
  t.match(await metrics.registry.metrics(), /connections_dropped_total\S* 1\n/)
  t.notOk(first.destroyed)
})

t.test('timeouts: longer than those of the API server, and than any webhook is waited for', async t => {
  const { app: { server: https } } = webhook
  t.ok(https.keepAliveTimeout > 90_000 && https.keepAliveTimeout < 300_000)
  t.ok(https.timeout > https.keepAliveTimeout && https.timeout < 300_000)
  t.ok(https.headersTimeout < https.requestTimeout, 'Node would swap them')
  t.equal(https.requestTimeout, 30_000)
  t.equal(https.maxConnections, 1_000)
})
