import t, { type Test } from 'tap'
import { systemClock } from '../../src/clock.ts'
import { LiveCluster } from '../../src/cluster/live-cluster.ts'
import { absent, present, unknown } from '../../src/rules/facts.ts'
import { answer, capturedLog, scriptedApi, status, until } from './scripted-api.ts'
import type { Lookup } from '../../src/cluster/live-cluster.ts'
import type { Script } from './scripted-api.ts'

const forever = new AbortController().signal
const classes = '/apis/storage.k8s.io/v1/storageclasses'
const percona = '/apis/pgv2.percona.com/v2'

/** An API server of two classes whose watch says nothing more; everything else is up to the test. */
async function cluster (t: Test, rest: Record<string, Script> = {}) {
  const api = await scriptedApi(t, (request, response) => {
    const { pathname, searchParams } = request.url
    const script = rest[pathname]
    if (script !== undefined) script(request, response)
    else if (pathname !== classes) answer(response, 404, status(404, 'NotFound'))
    else if (searchParams.has('watch')) response.writeHead(200).flushHeaders()
    else {
      answer(response, 200, {
        kind: 'StorageClassList',
        apiVersion: 'storage.k8s.io/v1',
        metadata: { resourceVersion: '1' },
        items: [
          { metadata: { name: 'slow', resourceVersion: '1', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } },
          { metadata: { name: 'fast', resourceVersion: '1' }, allowVolumeExpansion: true },
        ],
      })
    }
  })
  const lookups: Lookup[] = []
  const watches: string[] = []
  const clock = { now: 0 }
  const logs = capturedLog()
  const live = new LiveCluster({
    client: api.client,
    log: logs.log,
    timing: { firstRetryMs: 5, maxRetryMs: 20, staleAfterMs: 1000 },
    clock: { ...systemClock, monotonic: () => clock.now },
    onLookup: lookup => { lookups.push(lookup) },
    onWatch: event => { watches.push(event) },
  })
  t.teardown(async () => { await live.stop() })
  const asked = () => api.requests.map(({ url }) => url.pathname).filter(path => path !== classes)
  return { live, api, lookups, watches, clock, asked, ...logs }
}

await t.test('StorageClasses come from the watch', async t => {
  const { live, asked, lookups } = await cluster(t)
  t.equal(live.stale(), 'waiting for the StorageClasses: not listed yet')
  await live.start()
  t.equal(live.stale(), undefined)
  const fast = { name: 'fast', isDefault: false, allowVolumeExpansion: true }
  const slow = { name: 'slow', isDefault: true, allowVolumeExpansion: false }
  t.strictSame(await live.storageClass('fast', forever), present(fast))
  t.strictSame(live.storageClasses(), present([fast, slow]))
  t.strictSame(asked(), [], 'no request')
  t.match(lookups, [{ kind: 'StorageClass', result: 'present', seconds: Number }])
})

await t.test('a StorageClass that the watch does not have is read, once for each lookup', async t => {
  let created = false
  const { live, asked } = await cluster(t, {
    [`${classes}/new`]: (_request, response) => {
      if (created) answer(response, 200, { metadata: { name: 'new' } })
      else answer(response, 404, status(404, 'NotFound'))
    },
  })
  await live.start()
  t.strictSame(await live.storageClass('new', forever), absent)
  created = true
  t.strictSame(await live.storageClass('new', forever), present({ name: 'new', isDefault: false, allowVolumeExpansion: false }))
  t.strictSame(asked(), [`${classes}/new`, `${classes}/new`])
})

await t.test('a stale watch is not used', async t => {
  const { live, asked, clock, watches } = await cluster(t)
  await live.start()
  await until(() => watches.includes('watch'), 'the watch')
  clock.now = 10 * 60 * 1000
  t.match(live.stale(), /^the watch on StorageClasses is stale: no data from the API server for 600 s$/)
  t.strictSame(await live.storageClass('fast', forever), absent, 'the API server knows better')
  t.strictSame(asked(), [`${classes}/fast`])
  t.strictSame(live.storageClasses(), unknown('no data from the API server for 600 s'))
})

await t.test('illegal names are not looked up', async t => {
  const { live, asked } = await cluster(t)
  await live.start()
  for (const name of ['', '.', '..', 'a/b', '../secrets', 'A', 'a?x=y', 'a_b', `${'a'.repeat(254)}`, 'ä', 'a..b', 'a\n']) {
    t.strictSame(await live.storageClass(name, forever), absent, name)
    t.strictSame(await live.secret('ns', name, forever), absent, name)
    if (name !== '') t.strictSame(await live.secret(name, 'ok', forever), absent, name)
  }
  t.strictSame(await live.secret('dotted.name', 'ok', forever), absent)
  t.strictSame(asked(), [])
})

const secretPath = '/api/v1/namespaces/ns/secrets/s3'
const base64 = (text: string) => Buffer.from(text).toString('base64')

await t.test('only the lengths of Secret values are kept, for two seconds', async t => {
  const { live, asked, clock, lines, lookups } = await cluster(t, {
    [secretPath]: (_request, response) => {
      answer(response, 200, { metadata: { name: 's3' }, data: { key: base64('hunter2'), empty: '', wide: base64('pässwörd🌍'), odd: null } })
    },
  })
  await live.start()
  const answers = await Promise.all([live.secret('ns', 's3', forever), live.secret('ns', 's3', forever)])
  t.strictSame(answers[0], present({ lengths: new Map([['key', 7], ['empty', 0], ['wide', 9], ['odd', 0]]) }))
  t.strictSame(answers[1], answers[0])
  clock.now += 1999
  await live.secret('ns', 's3', forever)
  t.strictSame(asked(), [secretPath])
  clock.now += 1
  await live.secret('ns', 's3', forever)
  t.strictSame(asked(), [secretPath, secretPath])
  t.equal(lookups.length, 4)
  t.notMatch(JSON.stringify(lines), 'hunter2')
})

await t.test('a Secret without data has no keys; an absent Secret is read again', async t => {
  let there = false
  const { live, asked } = await cluster(t, {
    [secretPath]: (_request, response) => {
      if (there) answer(response, 200, { metadata: { name: 's3' } })
      else answer(response, 404, status(404, 'NotFound'))
    },
  })
  await live.start()
  t.strictSame(await live.secret('ns', 's3', forever), absent)
  there = true
  t.strictSame(await live.secret('ns', 's3', forever), present({ lengths: new Map() }))
  t.equal(asked().length, 2)
})

await t.test('a failed lookup is unknown, with a short reason, and is logged', async t => {
  const long = 'secrets "s3" is forbidden: User "system:serviceaccount:x:y" cannot get resource "secrets"'.repeat(20)
  const cases: [Script, string][] = [
    [(_request, response) => { answer(response, 403, status(403, 'Forbidden', long)) }, 'forbidden: no permission to get secrets'],
    [(_request, response) => { answer(response, 401, status(401, 'Unauthorized')) }, 'unauthorized: the API server does not accept the credentials'],
    [(_request, response) => { answer(response, 429, status(429, 'TooManyRequests')) }, 'the API server is busy (429)'],
    [(_request, response) => { answer(response, 500, status(500, 'InternalError', long)) }, 'the API server failed (500)'],
    [(_request, response) => { answer(response, 504, status(504, 'Timeout')) }, 'timed out'],
    [(_request, response) => { answer(response, 418, 'teapot') }, 'the API server refused to get secrets (418)'],
    [(_request, response) => { answer(response, 200, 'hunter2') }, "the API server's reply is not usable (EMALFORMED)"],
    [(_request, response) => { answer(response, 200, 'null') }, 'internal error'],
    [(_request, response) => { response.socket?.destroy() }, 'the API server is unreachable (ECONNRESET)'],
    [() => {}, 'timed out'],
  ]
  for (const [script, reason] of cases) {
    const { live, lookups, lines, messages } = await cluster(t, { [secretPath]: script })
    await live.start()
    t.strictSame(await live.secret('ns', 's3', AbortSignal.timeout(200)), unknown(reason))
    t.match(lookups, [{ kind: 'Secret', result: 'unknown' }])
    await until(() => messages('warn').includes('a lookup failed'), 'a log line')
    t.notMatch(JSON.stringify(lines), 'hunter2')
    await live.stop()
  }
})

await t.test('an unreachable API server', async t => {
  const { live, api } = await cluster(t)
  await live.start()
  await api.down()
  t.strictSame(await live.secret('ns', 's3', forever), unknown('the API server is unreachable (ECONNREFUSED)'))
  t.strictSame(await live.storageClass('none', forever), unknown('the API server is unreachable (ECONNREFUSED)'))
  t.equal((await live.storageClass('fast', forever)).state, 'present', 'known, and for the moment good enough')
})

await t.test('without permission to watch, lookups are live, and the server is ready', async t => {
  const { live, messages } = await cluster(t, {
    [classes]: (_request, response) => { answer(response, 403, status(403, 'Forbidden')) },
    [`${classes}/fast`]: (_request, response) => { answer(response, 200, { metadata: { name: 'fast' } }) },
  })
  await live.start()
  t.equal(live.stale(), undefined)
  t.equal((await live.storageClass('fast', forever)).state, 'present')
  t.strictSame(await live.storageClass('slow', forever), absent)
  t.strictSame(live.storageClasses(), unknown('forbidden: no permission to watch storageclasses'))
  t.strictSame(messages('warn', 'error'), ['no permission to list and watch'])
})

await t.test('whether Percona is served', async t => {
  let resources: unknown[] | null = [{ name: 'perconapgclusters/status' }, { name: 'perconapgbackups' }]
  const { live, asked, clock } = await cluster(t, { [percona]: (_request, response) => { answer(response, 200, { kind: 'APIResourceList', resources }) } })
  await live.start()
  t.strictSame(await live.perconaServed(forever), absent)
  resources = null
  t.strictSame(await live.perconaServed(forever), absent)
  resources = [{ name: 'perconapgclusters' }]
  t.strictSame(await live.perconaServed(forever), present(true))
  resources = []
  t.strictSame(await live.perconaServed(forever), present(true), 'within two seconds')
  clock.now += 2000
  t.strictSame(await live.perconaServed(forever), absent)
  t.equal(asked().length, 4)
  const without = await cluster(t)
  t.strictSame(await without.live.perconaServed(forever), absent)
  t.strictSame(await without.live.crdInstalled(forever), absent)
  const starting = await cluster(t, { [percona]: (_request, response) => { answer(response, 503, 'starting') } })
  t.strictSame(await starting.live.perconaServed(forever), unknown('the API server failed (503)'))
})

await t.test('whether DittoServers are served', async t => {
  const { live } = await cluster(t, {
    '/apis/dittofs.dittofs.com/v1alpha1': (_request, response) => { answer(response, 200, { resources: [{ name: 'dittoservers' }] }) },
  })
  t.strictSame(await live.crdInstalled(forever), present(true))
})
