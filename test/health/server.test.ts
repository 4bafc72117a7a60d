import { once } from 'node:events'
import { Agent, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import type { Impairment, Obstacle } from '../../src/health/readiness.ts'
import { buildHealthServer } from '../../src/health/server.ts'
import { createMetrics } from '../../src/metrics.ts'

const metrics = createMetrics()
const [obstacles, impairments]: [Obstacle[], Impairment[]] = [[], []]
const readiness = { notReady: () => obstacles, impaired: () => impairments }
metrics.readiness(readiness)
const said: object[] = []
const log = { level: 'info', warn: (fields: object) => { said.push(fields) } }
const app = buildHealthServer({ registry: metrics.registry, readiness, log })
await app.listen({ host: '127.0.0.1', port: 0 })
const { port } = app.server.address() as AddressInfo
const agent = new Agent({ keepAlive: true })
t.teardown(async () => {
  agent.destroy()
  await app.close()
})

async function get (path: string, method = 'GET') {
  const outgoing = request({ host: '127.0.0.1', port, path, method, agent }).end()
  const [reply] = await once(outgoing, 'response') as [IncomingMessage]
  return { status: reply.statusCode, type: reply.headers['content-type'], body: await text(reply) }
}

t.test('livez has no dependencies', async t => {
  obstacles.push({ reason: 'NoCertificate', message: 'there is no serving certificate yet' })
  t.strictSame(await get('/livez'), { status: 200, type: 'text/plain; charset=utf-8', body: 'ok\n' })
  t.equal((await get('/healthz')).status, 200)
  obstacles.length = 0
})

t.test('readyz lists every reason, one per line', async t => {
  t.strictSame(await get('/readyz'), { status: 200, type: 'text/plain; charset=utf-8', body: 'ok\n' })
  obstacles.push({ reason: 'Draining', message: 'draining' }, { reason: 'CertificateNotValid', message: 'the serving certificate expired on 2026-01-01T00:00:00.000Z' })
  t.strictSame(await get('/readyz'), {
    status: 503, type: 'text/plain; charset=utf-8', body: 'not ready:\n- draining\n- the serving certificate expired on 2026-01-01T00:00:00.000Z\n',
  })
  t.equal((await get('/readyz', 'HEAD')).status, 503, 'probes may ask for the head alone')
  obstacles.length = 0
  t.equal((await get('/readyz')).status, 200, 'computed for each request')
})

t.test('the impairments of a process that is ready', async t => {
  impairments.push({ reason: 'StorageClassesStale', message: 'the watch on StorageClasses is stale' })
  t.match(await get('/readyz'), { status: 200, body: 'ok\nimpaired:\n- the watch on StorageClasses is stale\n' })
  obstacles.push({ reason: 'Draining', message: 'draining' })
  t.match(await get('/readyz'), { status: 503, body: 'not ready:\n- draining\nimpaired:\n- the watch on StorageClasses is stale\n' })
  const { body } = await get('/metrics')
  t.match(body, 'dittofs_operator_ready{reason="Draining"} 0\ndittofs_operator_ready{reason="NoCertificate"} 1\n')
  t.match(body, 'dittofs_operator_impaired{reason="StorageClassesStale"} 1\ndittofs_operator_impaired{reason="WatchStale"} 0\n')
  obstacles.length = impairments.length = 0
})

t.test('metrics', async t => {
  metrics.webhookInFlight('validate', () => 3)
  metrics.webhookRequests.inc({ webhook: 'validate', code: 200 })
  metrics.webhookLatency.observe({ webhook: 'validate' }, 0.003)
  metrics.decisions.inc({ operation: 'CREATE', decision: 'deny', dry_run: 'false' })
  metrics.findings.inc({ rule: 'SC-MISSING', severity: 'deny' })
  metrics.lookedUp({ kind: 'Secret', result: 'present', seconds: 0.003 })
  const { status, type, body } = await get('/metrics')
  t.equal(status, 200)
  t.match(type, /^text\/plain; version=0\.0\.4/)
  for (const line of [
    'controller_runtime_webhook_requests_total{webhook="validate",code="200"} 1',
    'controller_runtime_webhook_requests_in_flight{webhook="validate"} 3',
    'controller_runtime_webhook_latency_seconds_bucket{le="0.005",webhook="validate"} 1',
    'controller_runtime_webhook_latency_seconds_count{webhook="validate"} 1',
    'controller_runtime_webhook_panics_total 0',
    'certwatcher_read_certificate_total 0',
    'certwatcher_read_certificate_errors_total 0',
    'dittofs_operator_certificate_expiry_timestamp_seconds 0',
    'dittofs_operator_admission_decisions_total{operation="CREATE",decision="deny",dry_run="false"} 1',
    'dittofs_operator_admission_findings_total{rule="SC-MISSING",severity="deny"} 1',
    'dittofs_operator_lookup_seconds_count{kind="Secret",result="present"} 1',
  ]) t.ok(body.split('\n').includes(line), line)
  t.match(body, /^process_cpu_seconds_total /m)
  t.match(body, /^nodejs_eventloop_lag_seconds /m)
})

t.test('the watches and the requests to the API server', async t => {
  const heard: number[] = []
  metrics.watches(() => [{ kind: 'Service', silentSeconds: heard[0], stale: heard.length === 0 }])
  metrics.watchEvent('Service', 'gone')
  metrics.restRequests.inc({ code: 409, method: 'POST' })
  metrics.restDuration.observe({ verb: 'create' }, 0.3)
  const lines = async () => (await get('/metrics')).body.split('\n')
  const before = await lines()
  t.ok(before.includes('dittofs_operator_watch_stale{kind="Service"} 1'))
  t.notOk(before.some(line => line.startsWith('dittofs_operator_watch_silence_seconds{')), 'nothing was heard yet')
  heard.push(12)
  const after = await lines()
  for (const line of [
    'dittofs_operator_watch_stale{kind="Service"} 0',
    'dittofs_operator_watch_silence_seconds{kind="Service"} 12',
    'dittofs_operator_watch_events_total{kind="Service",event="gone"} 1',
    'rest_client_requests_total{code="409",method="POST"} 1',
    'rest_client_request_duration_seconds_count{verb="create"} 1',
  ]) t.ok(after.includes(line), line)
})

t.test('the log level changes at run time', async t => {
  t.match(await get('/log-level'), { status: 200, body: 'info\n' })
  t.match(await get('/log-level/debug', 'PUT'), { status: 200, body: 'debug\n' })
  t.equal(log.level, 'debug')
  t.strictSame(said, [{ before: 'info', level: 'debug' }], 'the log tells of it, whatever the level was')
  t.match(await get('/log-level/loud', 'PUT'), { status: 400, body: "'loud' is not a level; known: fatal, error, warn, info, debug, trace\n" })
  const elsewhere = await app.inject({ method: 'PUT', url: '/log-level/trace', remoteAddress: '10.0.0.7' })
  t.match(elsewhere, { statusCode: 403, body: 'only from the pod itself: use kubectl port-forward\n' })
  t.equal(log.level, 'debug')
})

t.test('no other paths', async t => {
  t.equal((await get('/')).status, 404)
  t.equal((await get('/readyz', 'POST')).status, 404)
})
