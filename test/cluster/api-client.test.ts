import t from 'tap'
import { ApiClient } from '../../src/cluster/api-client.ts'
import { applyRequest, createRequest, deleteRequest, mergePatchRequest } from '../../src/cluster/api-requests.ts'
import { resourcePath } from '../../src/cluster/resource-path.ts'
import { answer, scriptedApi, status } from './scripted-api.ts'
import type { ApiRequest } from '../../src/cluster/api-client.ts'

const get = (path = '/api/v1/x', rest: Partial<ApiRequest> = {}): ApiRequest => ({ verb: 'get', method: 'GET', path, ...rest })

await t.test('JSON is sent and received unchanged', async t => {
  const body = { apiVersion: 'v1', kind: 'Odd', metadata: { name: 'ü' }, _from: null, from: [{ x: 1.5 }], 'x-y': '🌍' }
  const api = await scriptedApi(t, (request, response) => { answer(response, 200, request.body) })
  t.strictSame(await api.client.request({ ...get(), verb: 'update', method: 'PUT', body }), body)
  const [request] = api.requests
  t.equal(request?.headers['user-agent'], 'dittofs-operator/test')
  t.equal(request?.headers['content-type'], 'application/json')
  t.equal(request?.headers['content-length'], String(Buffer.byteLength(JSON.stringify(body))))
  t.match(api.outcomes, [{ verb: 'update', method: 'PUT', status: 200, seconds: Number }])
})

await t.test('each verb sends the request that the API server expects', async t => {
  const api = await scriptedApi(t, (_request, response) => { answer(response, 200, {}) })
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }
  const configMap = { group: '', version: 'v1', resource: 'configmaps' }
  const path = resourcePath(configMap, { namespace: 'n', name: 'a' })
  await api.client.request(createRequest(resourcePath(configMap, { namespace: 'n' }), object))
  await api.client.request(applyRequest(path, object, { fieldManager: 'me', force: true, dryRun: true }))
  await api.client.request(mergePatchRequest(path, { data: null }, 'me'))
  await api.client.request(deleteRequest(path, { uid: 'u', resourceVersion: '7', propagationPolicy: 'Orphan' }))
  t.strictSame(api.requests.map(({ method, url, headers, body }) =>
    [method, url.pathname + url.search, headers['content-type'], JSON.parse(body) as unknown]), [
    ['POST', '/api/v1/namespaces/n/configmaps', 'application/json', object],
    ['PATCH', '/api/v1/namespaces/n/configmaps/a?fieldManager=me&force=true&dryRun=All', 'application/apply-patch+yaml', object],
    ['PATCH', '/api/v1/namespaces/n/configmaps/a?fieldManager=me', 'application/merge-patch+json', { data: null }],
    ['DELETE', '/api/v1/namespaces/n/configmaps/a', 'application/json', {
      apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Orphan', preconditions: { uid: 'u', resourceVersion: '7' },
    }],
  ])
})

await t.test('paths encode user input', async t => {
  t.equal(resourcePath({ group: 'a.b', version: 'v1', resource: 'xs' }, { namespace: 'n/../m', name: '?x#', subresource: 'status' }),
    '/apis/a.b/v1/namespaces/n%2F..%2Fm/xs/%3Fx%23/status')
})

await t.test('a server URL with a path keeps the path', async t => {
  const api = await scriptedApi(t, (_request, response) => { answer(response, 200, {}) })
  const client = new ApiClient({
    connection: { server: new URL(`http://127.0.0.1:${api.port}/k8s/c-1/`), requestOptions: async () => ({}), refresh: () => false },
    userAgent: 'x',
  })
  t.teardown(() => { client.close() })
  await client.request(get('/api/v1/x', { query: { limit: 5, continue: undefined } }))
  t.equal(api.requests[0]?.url.href, 'http://api/k8s/c-1/api/v1/x?limit=5')
})

await t.test('a refusal has status, reason and details', async t => {
  const details = { name: 'a', causes: [{ reason: 'FieldManagerConflict', field: '.spec.x', message: 'conflict with "kubectl"' }] }
  const api = await scriptedApi(t, (_request, response) => { answer(response, 409, { ...status(409, 'Conflict', 'no'), details }) })
  await t.rejects(api.client.request(get()), { name: 'ApiError', status: 409, reason: 'Conflict', message: 'no', details })
  t.match(api.outcomes, [{ status: 409 }])
})

await t.test('a refusal of a proxy is also a refusal', async t => {
  const api = await scriptedApi(t, (_request, response) => { answer(response, 502, `<html>${'x'.repeat(5000)}`) })
  await t.rejects(api.client.request(get()), { name: 'ApiError', status: 502, reason: '', message: /^<html>x{194}$/ })
})

await t.test('a busy API server is retried after the time that it names, if the request allows it', async t => {
  let busy = 1
  const api = await scriptedApi(t, (_request, response) => {
    if (busy-- > 0) answer(response, 429, status(429, 'TooManyRequests'), { 'Retry-After': '0' })
    else answer(response, 200, { ok: true })
  })
  t.strictSame(await api.client.request(get('/x', { retry: true })), { ok: true })
  busy = 1
  await t.rejects(api.client.request(get('/x')), { name: 'ApiError', status: 429, retryAfterSeconds: 0 }, 'not asked for')
  busy = 1
  await t.rejects(api.client.request({ ...get('/x', { retry: true }), method: 'POST' }), { name: 'ApiError', status: 429 }, 'a write')
  busy = 9
  const before = api.requests.length
  await t.rejects(api.client.request(get('/x', { retry: true })), { name: 'ApiError', status: 429 })
  t.equal(api.requests.length - before, 3, 'but not for ever')
})

await t.test('the wait for a busy API server counts towards the time limit', async t => {
  const api = await scriptedApi(t, (_request, response) => {
    answer(response, 503, { ...status(503, 'ServiceUnavailable'), details: { retryAfterSeconds: 1 } })
  })
  const started = performance.now()
  await t.rejects(api.client.request(get('/x', { retry: true, timeoutMs: 300 })), { name: 'ConnectionError', code: 'ETIMEDOUT' })
  t.ok(performance.now() - started > 290)
  t.equal(api.requests.length, 1)
})

await t.test('a slow reply ends with the time limit or the signal, before or after the headers', async t => {
  const api = await scriptedApi(t, (request, response) => {
    if (request.url.pathname === '/body') response.write('{')
  })
  for (const path of ['/headers', '/body']) {
    await t.rejects(api.client.request(get(path, { timeoutMs: 50 })), { name: 'ConnectionError', code: 'ETIMEDOUT' })
    const controller = new AbortController()
    const request = api.client.request(get(path, { signal: controller.signal }))
    setTimeout(() => { controller.abort() }, 30)
    await t.rejects(request, { name: 'AbortError' })
    await t.rejects(api.client.request(get(path, { signal: AbortSignal.timeout(30) })), { name: 'TimeoutError' })
  }
  await t.rejects(api.client.request(get('/', { signal: AbortSignal.abort() })), { name: 'AbortError' })
})

await t.test('an unreachable API server', async t => {
  const api = await scriptedApi(t, () => {})
  await api.down()
  await t.rejects(api.client.request(get()), { name: 'ConnectionError', code: 'ECONNREFUSED', cause: { code: 'ECONNREFUSED' } })
  t.match(api.outcomes, [{ status: undefined }])
})

await t.test('a reply that is not JSON, too long or interrupted is an error without its text', async t => {
  const api = await scriptedApi(t, (request, response) => {
    if (request.url.pathname === '/cut') {
      response.writeHead(200, { 'Content-Length': 100 })
      response.write('hunter2', () => { response.destroy() })
    } else answer(response, 200, request.url.pathname === '/long' ? JSON.stringify('hunter2'.repeat(1000)) : 'hunter2')
  })
  const failure = async (path: string) =>
    await api.client.request(get(path, { maxBytes: 1000 })).then(() => undefined, (error: Error) => error)
  for (const [path, code] of [['/garbage', 'EMALFORMED'], ['/long', 'ETOOLARGE'], ['/cut', 'ECONNRESET']] as const) {
    const error = await failure(path)
    t.match(error, { name: 'ConnectionError', code })
    t.notMatch(`${error?.stack}${String(error?.cause)}`, 'hunter2')
  }
})

await t.test('credentials are requested each time, and again after a 401', async t => {
  let token = 'old'
  let refreshed = 0
  const api = await scriptedApi(t, (request, response) => {
    if (request.headers.authorization === 'Bearer new') answer(response, 200, {})
    else answer(response, 401, status(401, 'Unauthorized'))
  }, {
    requestOptions: async () => ({ headers: { Authorization: `Bearer ${token}` } }),
    refresh: () => {
      token = 'new'
      return ++refreshed === 1
    },
  })
  await api.client.request({ ...get(), method: 'POST', body: {} })
  t.equal(api.requests.length, 2)
  token = 'old again'
  await t.rejects(api.client.request(get()), { name: 'ApiError', status: 401 })
  t.equal(api.requests.length, 3, 'a second refresh is not to be had')
})

await t.test('credentials that fail or never arrive do not block a request', async t => {
  const failing = await scriptedApi(t, () => {}, { requestOptions: async () => { throw new Error('exec: no such plugin') } })
  await t.rejects(failing.client.request(get()), { code: 'ECREDENTIALS', cause: { message: 'exec: no such plugin' } })
  const hanging = await scriptedApi(t, () => {}, { requestOptions: async () => await new Promise(() => {}) })
  await t.rejects(hanging.client.request(get('/', { timeoutMs: 30 })), { code: 'ETIMEDOUT' })
})

await t.test('one connection is used for many requests, and may be closed while idle', async t => {
  const sockets = new Set<unknown>()
  const api = await scriptedApi(t, (_request, response) => {
    sockets.add(response.socket)
    answer(response, 200, {})
  })
  for (let n = 0; n < 5; n++) await api.client.request(get())
  t.equal(sockets.size, 1)
})

await t.test('a read on a closing connection is retried, a write is not', async t => {
  let close = false
  const api = await scriptedApi(t, (_request, response) => {
    if (close) response.socket?.destroy()
    else answer(response, 200, {})
    close = false
  })
  await api.client.request(get())
  close = true
  await api.client.request(get())
  close = true
  await t.rejects(api.client.request({ ...get(), method: 'POST', body: {} }), { code: 'ECONNRESET', reusedSocket: true })
})

await t.test('two large replies are parsed in different turns of the event loop', async t => {
  const body = JSON.stringify({ filled: 'x'.repeat(100_000) })
  const asked = Promise.withResolvers<void>()
  let requests = 0
  // Both are complete before either is read.
  const replies = async () => {
    if (++requests === 2) asked.resolve()
    await asked.promise
    const chunks: AsyncIterable<Buffer> = (async function * () { yield Promise.resolve(Buffer.from(body)) })()
    return Object.assign(chunks, { statusCode: 200, headers: {}, headersDistinct: {} })
  }
  const turns: number[] = []
  let turn = 0
  const count = () => {
    turn++
    if (turns.length < 2) setImmediate(count)
  }
  setImmediate(count)
  const connection = { server: new URL('http://127.0.0.1'), requestOptions: async () => await Promise.resolve({}), refresh: () => false }
  const client = new ApiClient({ connection, userAgent: 'test', exchange: replies })
  t.teardown(() => { client.close() })
  await Promise.all([1, 2].map(async () => {
    await client.request(get())
    turns.push(turn)
  }))
  t.not(turns[0], turns[1], `turns ${turns.join(' and ')}`)
})
