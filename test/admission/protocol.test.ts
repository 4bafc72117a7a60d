import { once } from 'node:events'
import { Agent } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from 'node:tls'
import t, { type Test } from 'tap'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { present, unknown, type Fact, type SecretFact } from '../../src/rules/facts.ts'
import { eventually } from '../control-plane/control-plane.ts'
import { embedded, review, server, startWebhook, storageClasses } from './webhook.ts'

const withSecret = server({ s3: { credentialsSecretRef: { secretName: 's3' } } })
const complete = present({ lengths: new Map([['accessKeyId', 20], ['secretAccessKey', 40]]) })

/** A cluster whose Secrets come from `secret`. */
const clusterWith = (secret: Cluster['secret']): Cluster => {
  const cluster = embedded(storageClasses)
  cluster.secret = secret
  return cluster
}

/** A cluster that answers for a Secret only once it is released. */
function heldCluster () {
  const release = Promise.withResolvers<Fact<SecretFact>>()
  let waiting = 0
  const cluster = clusterWith(async () => {
    waiting++
    return await release.promise
  })
  return {
    cluster,
    release: () => release.resolve(complete),
    waiting: async (count: number) => await eventually(async () => waiting >= count, `${count} lookups`, 5_000),
  }
}

t.test('the form of a reply', async t => {
  const { review: ask } = await startWebhook(t)
  for (const path of ['/mutate', '/validate']) {
    for (const uid of ['705ab4f5-6393-11e8-b7cc-42010a800002', 'anything', '"\\ä💾']) {
      const { status, headers, body } = await ask(path, { uid })
      t.equal(status, 200)
      t.equal(body.apiVersion, 'admission.k8s.io/v1')
      t.equal(body.kind, 'AdmissionReview')
      t.equal(body.response?.uid, uid, 'the uid comes back as it was sent')
      t.match(headers['content-type'], /^application\/json/)
      t.strictSame(Object.keys(body).sort(), ['apiVersion', 'kind', 'response'])
    }
  }
})

t.test('a patch comes with its type, and neither comes alone', async t => {
  const { review: ask } = await startWebhook(t)
  const patchFor = async (storage: object) => {
    const { body: { response } } = await ask('/mutate', { object: { ...server(), spec: { storage: { metadataSize: '10Gi', ...storage } } } })
    t.equal(response?.allowed, true)
    t.equal(response?.patch === undefined, response?.patchType === undefined)
    if (response?.patch === undefined) return undefined
    t.equal(response.patchType, 'JSONPatch')
    return JSON.parse(Buffer.from(response.patch, 'base64').toString()) as unknown
  }
  t.strictSame(await patchFor({}), [{ op: 'add', path: '/spec/storage/cacheSize', value: '5Gi' }])
  t.strictSame(await patchFor({ cacheSize: '' }), [{ op: 'replace', path: '/spec/storage/cacheSize', value: '5Gi' }])
  t.equal(await patchFor({ cacheSize: '1Gi' }), undefined)
  const { body } = await ask('/validate', { object: server({}, {}) })
  t.equal(body.response?.patch, undefined, '/validate never patches')
})

t.test('what the audit log of the API server gets', async t => {
  const { review: ask } = await startWebhook(t)
  const annotations = async (over: object) => (await ask('/validate', over)).body.response?.auditAnnotations
  t.strictSame(await annotations({}), { decision: 'allow' })
  t.strictSame(await annotations({ object: withSecret }), { decision: 'allow', rules: 'S3-SECRET-MISSING' })
  const wrong = server({ replicas: 9, image: 7, storage: { metadataSize: '1Gi', storageClassName: 'nope' } })
  t.strictSame(await annotations({ object: wrong }), { decision: 'deny', rules: 'SC-MISSING,SCHEMA' }, 'each rule once')
  t.strictSame(await annotations({ operation: 'UPDATE', oldObject: server() }), { decision: 'allow-unchanged' })
  const deleting = server({ replicas: 9 }, { deletionTimestamp: '2026-01-01T00:00:00Z' })
  t.strictSame(await annotations({ operation: 'UPDATE', object: deleting, oldObject: server() }), { decision: 'allow-deleting' })
})

t.test('a dry run', async t => {
  const { review: ask, metrics } = await startWebhook(t)
  const object = server({ storage: { metadataSize: '1Gi', storageClassName: 'nope' } })
  const real = await ask('/validate', { object })
  t.match(real.body.response, { allowed: false, status: { code: 422, reason: 'Invalid' } })
  const dry = await ask('/validate', { object, dryRun: true })
  t.match(dry.body.response, { allowed: true, warnings: [/only a warning in a dry run/] })
  const counted = await metrics.registry.metrics()
  t.match(counted, 'dittofs_operator_admission_decisions_total{operation="CREATE",decision="deny",dry_run="false"} 1')
  t.match(counted, 'dittofs_operator_admission_decisions_total{operation="CREATE",decision="allow",dry_run="true"} 1')
  t.match(counted, 'dittofs_operator_admission_findings_total{rule="SC-MISSING",severity="warn"} 1')
})

t.test('a refusal has one cause for each error', async t => {
  const { review: ask } = await startWebhook(t)
  const { body } = await ask('/validate', { object: server({ replicas: 9, storage: { metadataSize: '1Gi', storageClassName: 'nope' } }) })
  t.match(body.response?.status, {
    code: 422,
    reason: 'Invalid',
    details: {
      name: 'demo',
      causes: [
        { field: 'spec.storage.storageClassName', reason: 'FieldValueNotFound', message: /^Not found: 'nope': .*available: 'standard' \[SC-MISSING\]$/ },
        { field: 'spec.replicas', reason: 'FieldValueInvalid', message: "Invalid value: '9': must be at most 1 [SCHEMA]" },
      ],
    },
  })
})

t.test('connections', async t => {
  const { app, port, agent, review: ask } = await startWebhook(t)
  t.ok(app.server.keepAliveTimeout > 90_000, 'kept alive longer than the API server keeps its idle ones')
  const { headers } = await ask('/validate')
  t.equal(headers.connection, 'keep-alive')
  t.ok(Number(/timeout=([0-9]+)/.exec(String(headers['keep-alive']))?.[1]) > 90)
  for (let i = 0; i < 20; i++) await ask('/validate')
  t.equal(Object.values(agent.freeSockets).flat().length, 1, 'one connection served all of them')

  const { ca } = agent.options
  const shake = async (options: object) => {
    const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost', checkServerIdentity: () => undefined, ...options })
    t.teardown(() => socket.destroy())
    await once(socket, 'secureConnect')
    return socket
  }
  t.equal((await shake({ ALPNProtocols: ['h2', 'http/1.1'] })).alpnProtocol, 'http/1.1', 'as Go\'s client offers')
  t.equal((await shake({})).alpnProtocol, false, 'without ALPN')
  t.equal((await shake({ maxVersion: 'TLSv1.2' })).getProtocol(), 'TLSv1.2')
  t.equal((await shake({})).getProtocol(), 'TLSv1.3')
  const weak = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }
  await t.rejects(shake(weak), { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' }, 'TLS 1.1')
  await t.rejects(shake({ ALPNProtocols: ['h2'] }), { code: /NO_APPLICATION_PROTOCOL/ }, 'HTTP/2 alone')
})

t.test('too many reviews at once', async t => {
  const { cluster, release, waiting } = heldCluster()
  const webhook = await startWebhook(t, { cluster, maxInFlight: 3 })
  const agent = new Agent({ ...webhook.agent.options, maxSockets: 20 })
  t.teardown(() => agent.destroy())
  const body = JSON.stringify(review({ object: withSecret }))
  const held = [1, 2, 3].map(async () => await webhook.send('/validate?timeout=30s', body, { agent }))
  await waiting(3)
  t.match(await webhook.metrics.registry.metrics(), 'controller_runtime_webhook_requests_in_flight{webhook="validate"} 3')
  for (const path of ['/validate', '/mutate']) {
    const { status, headers, body: answer } = await webhook.send(path, body, { agent })
    t.equal(status, 429)
    t.equal(headers['retry-after'], '1')
    t.match(answer, { kind: 'Status', code: 429, reason: 'TooManyRequests' })
  }
  const large = JSON.stringify(review({ object: server({}, { annotations: { note: 'x'.repeat(3_000_000) } }) }))
  t.equal((await webhook.send('/validate', large, { agent })).status, 429, 'also before a large body is through')
  release()
  for (const { status, body: answer } of await Promise.all(held)) {
    t.equal(status, 200)
    t.equal(answer.response?.allowed, true)
  }
  const after = await Promise.all(Array.from({ length: 3 }, async () => await webhook.send('/validate', body, { agent })))
  t.strictSame(after.map(({ status }) => status), [200, 200, 200], 'nothing is dropped afterwards')
  const counted = await webhook.metrics.registry.metrics()
  t.match(counted, 'controller_runtime_webhook_requests_in_flight{webhook="validate"} 0')
  t.match(counted, 'controller_runtime_webhook_requests_total{webhook="validate",code="429"} 2')
})

t.test('while it stops, requests on open connections are answered', async t => {
  const { cluster, release, waiting } = heldCluster()
  const webhook = await startWebhook(t, { cluster })
  const held = webhook.send('/validate?timeout=30s', JSON.stringify(review({ object: withSecret })))
  await waiting(1)
  // A request that is half there when the stop begins.
  const body = JSON.stringify(review())
  const socket = await webhook.rawConnection()
  let answer = ''
  socket.on('data', chunk => { answer += String(chunk) })
  socket.write('POST /validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n')
  await delay(50)

  let closed = false
  const closing = webhook.app.close().then(() => { closed = true })
  await eventually(async () => !webhook.app.server.listening, 'no new connections', 5_000)
  socket.write(`content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  await once(socket, 'close')
  t.match(answer, /^HTTP\/1\.1 200 OK\r\n/, 'not a 503')
  t.match(answer, /\r\nconnection: close\r\n/i)
  t.match(answer, '"allowed":true')
  t.equal(closed, false, 'it waits for the request in flight')
  release()
  t.match(await held, { status: 200, body: { response: { allowed: true } } })
  await Promise.race([closing, delay(5_000, undefined, { ref: false })])
  t.equal(closed, true, 'and then ends, though the client would keep its connection')
})

const faulty: Readonly<Record<string, Cluster['secret']>> = {
  'throws at once': () => { throw new Error('a bug in the operator') },
  rejects: async () => await Promise.reject(new Error('a bug in the operator')),
}

for (const [what, secret] of Object.entries(faulty)) {
  t.test(`a bug in the operator, when a lookup ${what}`, async t => {
    const { review: ask, lines, metrics } = await startWebhook(t, { cluster: clusterWith(secret) })
    const { status, body } = await ask('/validate', { object: withSecret })
    t.equal(status, 200)
    t.match(body.response, { uid: review().request.uid, allowed: false, status: { code: 500, reason: 'InternalError', message: /could not judge.*uid 705ab4f5/ } })
    t.notMatch(JSON.stringify(body), /a bug in the operator/, 'the cause is for the log')
    t.match(lines.filter(({ msg }) => msg === 'review failed'), [{ level: 50, err: { message: 'a bug in the operator' }, uid: review().request.uid, webhook: 'validate' }])
    const counted = await metrics.registry.metrics()
    t.match(counted, 'controller_runtime_webhook_panics_total 1')
    t.match(counted, 'controller_runtime_webhook_requests_in_flight{webhook="validate"} 0')
    t.equal((await ask('/validate')).body.response?.allowed, true, 'the next one is served')
  })
}

async function withinDeadline (t: Test, path: string, least: number, most: number) {
  const { send } = await startWebhook(t, { cluster: clusterWith(async () => await new Promise<never>(() => {})) })
  const started = performance.now()
  const { body } = await send(path, JSON.stringify(review({ object: withSecret })))
  const took = performance.now() - started
  t.ok(took > least && took < most, `took ${Math.round(took)} ms`)
  t.match(body.response, { allowed: true, warnings: [/could not verify.*timed out.*\[UNVERIFIED\]$/] })
}

t.test('a lookup that hangs is given up before the API server gives us up', async t => await withinDeadline(t, '/validate?timeout=1s', 700, 1_000))
t.test('without a timeout it is given up before a person loses patience', async t => await withinDeadline(t, '/validate', 4_900, 8_000))

t.test('a cluster that cannot be asked', async t => {
  const { review: ask } = await startWebhook(t, { cluster: clusterWith(async () => unknown('403 Forbidden')) })
  t.match((await ask('/validate', { object: withSecret })).body.response, { allowed: true, warnings: [/could not verify.*403 Forbidden/] })
})

t.test('the values of Secrets reach nobody', async t => {
  const value = 'hunter2-top-secret'
  const encoded = Buffer.from(value).toString('base64')
  const { review: ask, lines, metrics } = await startWebhook(t, {
    cluster: embedded(`${storageClasses}
---
apiVersion: v1
kind: Secret
metadata: {name: s3, namespace: files}
data: {accessKeyId: ${encoded}, secretAccessKey: ""}
stringData: {jwt: ${value}}
`),
  })
  const identity = { jwt: { secretRef: { name: 's3', key: 'jwt' } } }
  const { body } = await ask('/validate', { object: server({ ...withSecret.spec, identity }) })
  const places = { response: JSON.stringify(body), log: JSON.stringify(lines), metrics: await metrics.registry.metrics() }
  for (const [where, said] of Object.entries(places)) {
    t.notMatch(said, value, where)
    t.notMatch(said, encoded, where)
  }
})
