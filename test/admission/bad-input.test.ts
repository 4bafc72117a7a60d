import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { review, server, startWebhook, type Answer } from './webhook.ts'

// Whatever arrives gets a clean review or a 4xx with a JSON body, leaves a log line, and the next request is served as before.

const webhook = await startWebhook(t, { level: 'debug' })
const { send, lines, rawConnection } = webhook

async function isAlive (t: Test) {
  const { status, body } = await webhook.review('/validate')
  t.equal(status, 200)
  t.equal(body.response?.allowed, true, 'the next request is served as before')
}

/** Sends, then checks what holds for every answer. */
async function ask (t: Test, path: string, body: string, options: object = {}): Promise<Answer> {
  const before = lines.length
  const answer = await send(path, body, options)
  t.ok(lines.length > before, 'there is a log line')
  t.match(answer.headers['content-type'], /^application\/json/)
  await isAlive(t)
  return answer
}

const refused = (t: Test, { status, body }: Answer, code: number, message: RegExp) => {
  t.equal(status, code)
  t.equal(body.kind, 'Status')
  t.equal(body.code, code)
  t.match(body.message, message)
}

for (const path of ['/mutate', '/validate']) {
  t.test(path, async t => {
    t.test('not JSON', async t => refused(t, await ask(t, path, '{"apiVersion":'), 400, /not JSON/))
    t.test('empty body', async t => refused(t, await ask(t, path, ''), 400, /empty/))
    for (const body of ['null', '7', '"x"', '[]', '{}', '{"kind":"Pod","apiVersion":"v1"}']) {
      t.test(`JSON but not a review: ${body}`, async t => refused(t, await ask(t, path, body), 400, /must be an AdmissionReview/))
    }
    t.test('v1beta1', async t => refused(t, await ask(t, path, JSON.stringify({ ...review(), apiVersion: 'admission.k8s.io/v1beta1' })), 400, /admission\.k8s\.io\/v1'/))
    t.test('no request', async t => refused(t, await ask(t, path, JSON.stringify({ ...review(), request: null })), 400, /must have a request/))
    t.test('no uid', async t => refused(t, await ask(t, path, JSON.stringify(review({ uid: undefined }))), 400, /must have a uid/))
    t.test('empty uid', async t => refused(t, await ask(t, path, JSON.stringify(review({ uid: '' }))), 400, /must have a uid/))
    t.test('no kind', async t => refused(t, await ask(t, path, JSON.stringify(review({ kind: 'DittoServer' }))), 400, /must have a kind/))
    t.test('no operation', async t => refused(t, await ask(t, path, JSON.stringify(review({ operation: 4 }))), 400, /must have an operation/))

    t.test('another kind passes, with a warning', async t => {
      const { status, body } = await ask(t, path, JSON.stringify(review({ kind: { group: '', version: 'v1', kind: 'Pod' } })))
      t.equal(status, 200)
      t.equal(body.response?.allowed, true)
      t.match(body.response?.warnings?.[0], /not checked: 'Pod\.' is no DittoServer/)
    })
    t.test('another group passes, with a warning', async t => {
      const { body } = await ask(t, path, JSON.stringify(review({ kind: { group: 'example.com', version: 'v1', kind: 'DittoServer' } })))
      t.equal(body.response?.allowed, true)
      t.equal(body.response?.warnings?.length, 1)
    })
    t.test('object null on CREATE', async t => {
      const { status, body } = await ask(t, path, JSON.stringify(review({ object: null })))
      t.equal(status, 200)
      t.equal(body.response?.allowed, false)
      t.equal(body.response?.status?.code, 400)
    })
    for (const operation of ['DELETE', 'CONNECT']) {
      t.test(`${operation} passes`, async t => {
        const { status, body } = await ask(t, path, JSON.stringify(review({ operation, object: null, oldObject: server({ replicas: 9 }) })))
        t.equal(status, 200)
        t.strictSame(body.response, { uid: review().request.uid, allowed: true })
      })
    }
    t.test('body over 7 MiB', async t => {
      const before = lines.length
      const body = `{"a":"${'x'.repeat(7 * 1024 * 1024)}"}`
      const { status } = await send(path, body).catch((error: NodeJS.ErrnoException) => {
        // The answer comes before the body is through; a client still writing may see the connection reset instead.
        t.match(error.code, /^(EPIPE|ECONNRESET)$/)
        return { status: 413 }
      })
      t.equal(status, 413)
      t.ok(lines.length > before, 'there is a log line')
      await isAlive(t)
    })
    t.test('3 MB object and 3 MB oldObject are legal', async t => {
      const annotations = { note: 'x'.repeat(3_000_000) }
      const object = server({}, { annotations })
      const { status, body } = await ask(t, path, JSON.stringify(review({ operation: 'UPDATE', object, oldObject: server({ nfsPort: 2049 }, { annotations }) })))
      t.equal(status, 200)
      t.equal(body.response?.allowed, true)
    })
    t.test('wrong method', async t => {
      const answer = await ask(t, path, '', { method: 'GET' })
      refused(t, answer, 405, /use POST/)
      t.equal(answer.headers.allow, 'POST')
    })
    t.test('wrong content type', async t => refused(t, await ask(t, path, JSON.stringify(review()), { headers: { 'content-type': 'text/yaml' } }), 415, /./))
  })
}

t.test('wrong path', async t => refused(t, await ask(t, '/nowhere', '{}'), 404, /no such path/))

t.test('keys that mean something to JavaScript are data', async t => {
  const text = JSON.stringify(review({ object: server({ PLACEHOLDER: 1 }) })).replace('"PLACEHOLDER":1',
    '"__proto__":{"replicas":9},"constructor":{"prototype":{"x":1}},"service":{"annotations":{"constructor":"a","toString":"b"}}')
  const { body } = await ask(t, '/validate', text)
  t.equal(body.response?.allowed, true)
  t.equal(({} as { replicas?: number }).replicas, undefined, 'nothing was polluted')
})

for (const depth of [10_000, 1_000_000]) {
  t.test(`nesting ${depth} deep`, async t => {
    for (const at of ['"extra":', '"storage":', '"percona":{"backup":', '"resources":{"claims":']) {
      const open = at.startsWith('"resources') ? '['.repeat(depth) + ']'.repeat(depth) : '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)
      const spec = `{"storage":{"metadataSize":"10Gi"},${at}${open}${at.includes('{') ? '}' : ''}}`
      const text = JSON.stringify(review({ operation: 'UPDATE', object: 'OBJECT', oldObject: 'OLD' }))
        .replace('"OBJECT"', `{"metadata":{"name":"demo"},"spec":${spec}}`).replace('"OLD"', `{"metadata":{"name":"demo"},"spec":${spec.replace('10Gi', '9Gi')}}`)
      if (text.length > 7_000_000 * 2) continue
      const answer = await ask(t, '/validate', text).catch((error: NodeJS.ErrnoException) => ({ status: 413, error }))
      t.ok([200, 400, 413].includes(answer.status), `${at} gives ${answer.status}`)
      if ('body' in answer && answer.status === 200) t.not(answer.body.response?.status?.code, 500)
    }
  })
}

t.test('numbers as strings and strings as numbers', async t => {
  const { body } = await ask(t, '/validate', JSON.stringify(review({ object: server({ nfsPort: '2049', image: 7, replicas: '1', smb: { enabled: 'yes' } }) })))
  t.equal(body.response?.allowed, false)
  t.strictSame(body.response?.status?.details?.causes.map(({ field }) => field), ['spec.image', 'spec.replicas', 'spec.nfsPort', 'spec.smb.enabled'])
})

t.test('unknown fields are nobody\'s business', async t => {
  const { body } = await ask(t, '/validate', JSON.stringify(review({ object: { ...server({ cachesize: '5Gi' }), extra: true } })))
  t.equal(body.response?.allowed, true)
})

t.test('unicode and control characters in names and messages', async t => {
  const name = 'dä\u0000\u001b[2J\u202e💾'
  const object = server({ storage: { metadataSize: '\u0007\ud800', storageClassName: '💾\u2028' } }, { name })
  const { body } = await ask(t, '/validate', JSON.stringify(review({ object, name })))
  t.equal(body.response?.allowed, false)

  t.notMatch(JSON.stringify(body), /\\u00[01]|\\u001b|\u202e|\u2028|\\ud800/)
})

t.test('every kind of nonsense for an object', async t => {
  for (const object of [7, 'x', [], true, { metadata: 7, spec: 'x' }, { metadata: { name: 7, annotations: [], finalizers: {} }, spec: [] }]) {
    const { status, body } = await ask(t, '/validate', JSON.stringify(review({ object })))
    t.equal(status, 200)
    t.equal(body.response?.allowed, false)
    t.equal(body.response?.status?.code, 422)
  }
})

t.test('a million mistakes cost no more than a page of them', async t => {
  const started = performance.now()
  const { body } = await ask(t, '/validate', JSON.stringify(review({ object: server({ securityContext: { capabilities: { add: new Array(1_000_000).fill(1) } } }) })))
  t.equal(body.response?.allowed, false)
  t.ok(JSON.stringify(body).length < 20_000)
  t.ok(performance.now() - started < 5_000)
})

t.test('a client that hangs up half-way', async t => {
  const before = lines.length
  const socket = await rawConnection()
  socket.write('POST /validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{"apiVersion":')
  await delay(50)
  socket.destroy()
  for (let i = 0; i < 100 && lines.length === before; i++) await delay(20)
  t.match(lines.slice(before).map(({ msg }) => msg).join(), /closed the connection/)
  await isAlive(t)
})

t.test('a body that trickles in is cut off', async t => {
  const { server: https } = webhook.app
  t.ok(https.headersTimeout < https.requestTimeout, 'Node would swap them')
  t.equal(https.requestTimeout, 30_000)
  https.headersTimeout = 100
  https.requestTimeout = 300
  t.teardown(() => {
    https.requestTimeout = 30_000
    https.headersTimeout = 15_000
  })
  const before = lines.length
  const attempt = async () => {
    const socket = await rawConnection()
    let answer = ''
    socket.on('data', chunk => { answer += String(chunk) })
    socket.on('error', () => {})
    const closed = new Promise(resolve => { socket.once('close', resolve) })
    socket.write('POST /validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n')
    const trickle = setInterval(() => socket.write('{'), 50)
    await closed
    clearInterval(trickle)
    return answer
  }
  // A byte that is sent at the moment when the server closes resets the connection, and the answer may be lost with it.
  let answer = await attempt()
  for (let count = 1; answer === '' && count < 5; count++) answer = await attempt()
  t.match(answer, /^HTTP\/1\.1 408 /)
  t.match(answer, /application\/json/)
  t.ok(lines.length > before, 'there is a log line')
  await isAlive(t)
})

t.test('garbage instead of HTTP', async t => {
  const socket = await rawConnection()
  let answer = ''
  socket.on('data', chunk => { answer += String(chunk) })
  socket.write('\u0000\u0001 not http at all\r\n\r\n')
  await once(socket, 'close')
  t.match(answer, /^HTTP\/1\.1 400 /)
  await isAlive(t)
})
