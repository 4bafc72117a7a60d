import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import pino from 'pino'
import t, { type Test } from 'tap'
import { kinds } from '../../src/cluster/kinds.ts'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { ReviewFeed } from '../../src/playground/review-feed.ts'
import { startPlayground } from '../../src/playground/start.ts'
import { eventually } from '../control-plane/control-plane.ts'
import { serverOf } from '../e2e/kubectl-user.ts'
import { clusterOf, document } from './surroundings.ts'

async function start (t: Test) {
  const reviews = new ReviewFeed()
  const stored = { ...serverOf('stored', { nfsPort: 2049 }), status: { phase: 'Running' } }
  const around = await clusterOf(JSON.stringify({ ...stored, metadata: { ...stored.metadata, uid: 'u', resourceVersion: '1' } }))
  const servers = async () => [{ namespace: 'default', name: 'stored', phase: 'Running', isReady: true, message: '' }]
  const playground = await startPlayground({ ...around, port: 0, log: pino({ level: 'silent' }), reviews, servers })
  t.teardown(playground.stop)
  const ask = async (method: string, path: string, { headers = {}, body = '' }: { headers?: Record<string, string>, body?: string } = {}) => {
    const outgoing = request({ host: '127.0.0.1', port: playground.port, method, path, headers: { host: 'localhost', ...headers } })
    outgoing.end(body)
    const [reply] = await once(outgoing, 'response') as [IncomingMessage]
    return { status: reply.statusCode, headers: reply.headers, body: await text(reply) }
  }
  return { ...playground, ask, reviews }
}

const head = {
  uid: '1', kind: { group: '', version: '', kind: '' }, subResource: '', operation: 'CREATE', namespace: 'default', name: 'one', dryRun: false, user: 'me',
}
const json = { 'content-type': 'application/json' }

t.test('only pages of this server get an answer', async t => {
  const { ask, port } = await start(t)
  for (const host of ['localhost', `localhost:${port}`, '127.0.0.1:1', '[::1]:8088']) t.equal((await ask('GET', '/schema.json', { headers: { host } })).status, 200, host)
  for (const host of ['evil.example', `evil.example:${port}`, 'localhost.evil.example', 'localhost@evil.example', 'localhost:x', '10.0.0.1']) {
    t.match(await ask('GET', '/', { headers: { host } }), { status: 403, body: /^only for pages of this server/ }, host)
  }
  for (const origin of ['https://evil.example', 'null', 'https://localhost']) t.equal((await ask('POST', '/api/try', { headers: { ...json, origin }, body: '{"text":""}' })).status, 403, origin)
  t.equal((await ask('POST', '/api/try', { headers: { ...json, origin: `http://localhost:${port}` }, body: '{"text":""}' })).status, 200)
})

t.test('the page: a strict policy, a fresh nonce, assets that may be kept', async t => {
  const { ask } = await start(t)
  const [first, second] = [await ask('GET', '/'), await ask('GET', '/')]
  const policy = String(first.headers['content-security-policy'])
  t.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self' 'nonce-[^']{20,}'; font-src 'self'; /)
  t.match(policy, /; require-trusted-types-for 'script'$/)
  t.notMatch(policy, /unsafe|\*|http/)
  t.not(first.body, second.body, 'the nonce')
  t.notMatch(first.body, /NONCE|<style|style=|onclick|https?:\/\//, 'nothing inline, and nothing from elsewhere')
  const assets = [...first.body.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path = '']) => path)
  t.equal(assets.length, 3)
  for (const path of assets) t.match(await ask('GET', path), { status: 200, headers: { 'cache-control': /immutable/, 'x-content-type-options': 'nosniff' } }, path)
})

t.test('what is not there, and what is not allowed', async t => {
  const { ask } = await start(t)
  for (const path of [
    '/nothing', '/assets/', '/assets/..%2fmain.ts', '/assets/../../package.json', '/assets/nothing.js', '/api/servers/default/nobody',
    '/api/servers/../x', '/%',
  ]) {
    t.equal((await ask('GET', path)).status, 404, path)
  }
  const server = '/api/servers/default/stored'
  for (const [method, path] of [['POST', '/'], ['PUT', '/api/try'], ['GET', '/api/try'], ['DELETE', server], ['PATCH', server]] as const) {
    t.equal((await ask(method, path)).status, 405, `${method} ${path}`)
  }
})

t.test('a trial', async t => {
  const { ask } = await start(t)
  const answer = await ask('POST', '/api/try', { headers: json, body: JSON.stringify({ text: document() }) })
  t.match(JSON.parse(answer.body), { problems: [], servers: [{ name: 'demo', allowed: true }] })
  t.match(await ask('POST', '/api/try', { body: '{"text":""}' }), { status: 415 }, 'what a form of another site could send')
  for (const body of ['', '{', 'null', '7', '{}', '{"text":1}', '{"text":"","pane":"x"}', '{"text":"","running":1}']) t.equal((await ask('POST', '/api/try', { headers: json, body })).status, 400, body)
  t.equal((await ask('POST', '/api/try', { headers: json, body: 'x'.repeat(5_000_000) })).status, 413)
  for (const text of ['a: &a [*a]', '!!binary x', '- '.repeat(20_000), 'kind: DittoServer\napiVersion: x\nmetadata:\n  name: "\\0"', '\0', 'kind: DittoServer\napiVersion: v1\n__proto__: {a: 1}']) {
    t.equal((await ask('POST', '/api/try', { headers: json, body: JSON.stringify({ text, running: text, pane: 'effects' }) })).status, 200, text.slice(0, 30))
  }
})

t.test('a server of the cluster as a manifest to edit', async t => {
  const { ask } = await start(t)
  const { body, headers } = await ask('GET', '/api/servers/default/stored')
  t.equal(body, 'apiVersion: dittofs.dittofs.com/v1alpha1\nkind: DittoServer\nmetadata:\n  name: stored\nspec:\n  storage:\n    metadataSize: 10Gi\n  nfsPort: 2049\n')
  t.match(headers, { 'content-type': /yaml/ })
})

t.test('reviews and servers, as they change', async t => {
  const { port, reviews, stop } = await start(t)
  const patch = btoa('[{"op":"add","path":"/spec/storage/cacheSize","value":"5Gi"}]')
  reviews.record('mutate', head, { response: { uid: '1', allowed: true, patchType: 'JSONPatch', patch } }, 0.123)
  const stopping = new AbortController()
  const { body } = await fetch(`http://localhost:${port}/api/reviews`, { signal: stopping.signal })
  let received = ''
  const read = async () => { for await (const chunk of body ?? []) received += Buffer.from(chunk as Uint8Array).toString() }
  const reading = read().catch(() => {})
  const until = async (what: RegExp) => { await eventually(async () => what.test(received), String(what)) }
  await until(/event: servers\ndata: \[\{"namespace":"default","name":"stored"/)
  t.match(received, /event: review\ndata: .*"name":"one".*"kubectl":\["spec\.storage\.cacheSize: 5Gi was filled in"\]/, 'one from before')
  const status = { status: 'Failure', code: 400, reason: 'BadRequest', message: 'no' } as const
  reviews.record('validate', { ...head, name: 'two\n' }, { response: { uid: '1', allowed: false, status } }, 1)
  await until(/"name":"two/)
  t.match(received, /"kubectl":\["Error from server \(BadRequest\): no"\]/)
  await stop()
  await reading
  t.pass('a page that is open does not hold up the stop')
})

t.test('the feed keeps the last hundred', async t => {
  const feed = new ReviewFeed()
  for (let count = 1; count <= 150; count++) feed.record('validate', head, { response: { uid: '', allowed: true } }, 1)
  t.equal(feed.recent.length, 100)
  t.equal(feed.recent.at(-1)?.id, 150)
})

t.test('it reads no kind that the operator may not read', async t => {
  const asked = new Set<string>()
  const around = await clusterOf()
  const read = async (kind: keyof typeof kinds): Promise<KubernetesObject | undefined> => {
    asked.add(kind)
    return undefined
  }
  const { tryDocument } = await import('../../src/playground/try-document.ts')
  await tryDocument({ text: document({ percona: { enabled: true } }), running: document({ percona: { enabled: true } }), pane: 'effects' }, { ...around, read })
  t.ok(asked.size > 2)
  for (const kind of asked) t.ok((kinds[kind as keyof typeof kinds].verbs as readonly string[]).includes('get'), kind)
})
