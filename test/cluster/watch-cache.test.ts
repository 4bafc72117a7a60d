import t, { type Test } from 'tap'
import { withoutManagedFields } from '../../src/cluster/kubernetes-object.ts'
import { WatchCache } from '../../src/cluster/watch-cache.ts'
import { answer, capturedLog, item, list, scriptedApi, scriptedCollection, status, until } from './scripted-api.ts'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import type { WatchCacheEvent, WatchCacheOptions } from '../../src/cluster/watch-cache.ts'

const quick = { firstRetryMs: 5, maxRetryMs: 20, idleTimeoutMs: 5000, staleAfterMs: 50 }

async function started (t: Test, options: Partial<WatchCacheOptions<KubernetesObject>> = {}, before = (_: Collection) => {}) {
  const collection = scriptedCollection()
  before(collection)
  const api = await scriptedApi(t, collection.script)
  const logs = capturedLog()
  const events: WatchCacheEvent[] = []
  const changes: string[] = []
  const cache = new WatchCache<KubernetesObject>({
    client: api.client,
    log: logs.log,
    outage: logs.outage,
    path: '/api/v1/configmaps',
    transform: withoutManagedFields,
    timing: quick,
    observe: event => { events.push(event) },
    ...options,
  })
  cache.onChange(({ type, key, object }) => { changes.push(`${type} ${key} ${object.metadata.resourceVersion}`) })
  t.teardown(async () => { await cache.stop() })
  const sync = cache.start()
  return { ...collection, api, ...logs, events, changes, cache, sync, take: () => changes.splice(0) }
}
type Collection = ReturnType<typeof scriptedCollection>

await t.test('lists, then follows the watch', async t => {
  const { cache, sync, watches, opened, send, take, state } = await started(t, {}, ({ state }) => {
    state.items = [item('a', '3'), item('b', '4')]
    state.resourceVersion = '5'
  })
  t.equal(await sync, 'synced')
  t.strictSame(take(), ['added ns/a 3', 'added ns/b 4'])
  t.match(cache.get('ns/a'), { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }, 'the list says the type of its items')
  await until(() => watches.length, 'a watch')
  const { searchParams } = opened[0] ?? new URL('x:')
  t.equal(searchParams.get('resourceVersion'), '5')
  t.equal(searchParams.get('allowWatchBookmarks'), 'true')
  t.ok(Number(searchParams.get('timeoutSeconds')) >= 300 && Number(searchParams.get('timeoutSeconds')) <= 600)
  send('ADDED', item('c', '6'))
  send('MODIFIED', item('a', '7', { data: { x: 'é'.repeat(100_000) } }))
  send('DELETED', item('b', '8'))
  await until(() => cache.get('ns/b') === undefined, 'the deletion')
  t.strictSame(take(), ['added ns/c 6', 'modified ns/a 7', 'deleted ns/b 4'])
  t.equal(cache.size, 2)
  t.equal(cache.stale(), undefined)
  t.equal(state.resourceVersion, '5')
})

await t.test('long lists come in pages, and are taken over as a whole', async t => {
  const pages: (string | null)[] = []
  const { cache, sync, take } = await started(t, { labelSelector: 'a=b,c in (d)', fieldSelector: 'metadata.name!=x' }, collection => {
    collection.state.onList = (first, response) => {
      pages.push(first.url.searchParams.get('continue'), first.url.searchParams.get('limit'), first.url.searchParams.get('labelSelector'))
      collection.state.onList = (second, response) => {
        pages.push(second.url.searchParams.get('continue'))
        answer(response, 200, list([item('b', '2')], '9'))
      }
      answer(response, 200, list([item('a', '1')], '9', 'token/+='))
    }
  })
  t.equal(await sync, 'synced')
  t.strictSame(pages, [null, '500', 'a=b,c in (d)', 'token/+='])
  t.strictSame(take(), ['added ns/a 1', 'added ns/b 2'])
  t.equal(cache.size, 2)
})

await t.test('a watch that ends goes on from the last event or bookmark', async t => {
  const { watches, opened, lists, send, sync, cache } = await started(t)
  await sync
  await until(() => watches.length, 'a watch')
  send('ADDED', item('a', '2'))
  send('BOOKMARK', { kind: 'ConfigMap', metadata: { resourceVersion: '77' } })
  watches[0]?.end()
  await until(() => watches.length === 2, 'the next watch')
  t.equal(opened[1]?.searchParams.get('resourceVersion'), '77')
  t.equal(lists.length, 1)
  t.equal(cache.size, 1)
})

await t.test('410 lists anew: what vanished meanwhile is told as deleted, what stayed is not told again', async t => {
  const inStream = (collection: Collection) => { collection.send('ERROR', status(410, 'Expired')) }
  const atOpening = (collection: Collection) => {
    collection.state.onWatch = (_request, response) => { answer(response, 410, status(410, 'Expired')) }
    collection.watches.at(-1)?.end()
  }
  for (const expire of [inStream, atOpening]) {
    const all = await started(t, {}, ({ state }) => { state.items = [item('a', '1'), item('b', '1'), item('c', '1')] })
    await all.sync
    await until(() => all.watches.length, 'a watch')
    all.send('BOOKMARK', { metadata: { resourceVersion: '1' } })
    all.take()
    all.state.items = [item('a', '1'), item('c', '9'), item('d', '10')]
    expire(all)
    await until(() => all.watches.length === 2, 'the next watch')
    t.strictSame(all.take().sort(), ['added ns/d 10', 'deleted ns/b 1', 'modified ns/c 9'])
    t.ok(all.events.includes('gone'))
    t.strictSame(all.messages('warn', 'error'), [], 'nothing to worry anyone')
    await all.cache.stop()
  }
})

await t.test('410 in the middle of a long list starts over', async t => {
  const { sync, lists, cache } = await started(t, {}, ({ state }) => {
    state.items = [item('a', '1')]
    state.onList = (_first, response) => {
      state.onList = (_second, response) => { answer(response, 410, status(410, 'Expired')) }
      answer(response, 200, list([item('z', '1')], '1', 'token'))
    }
  })
  t.equal(await sync, 'synced')
  t.equal(lists.length, 3)
  t.strictSame(cache.list().map(({ metadata }) => metadata.name), ['a'], 'the half list is forgotten')
})

await t.test('410 for ever is not a tight loop', async t => {
  const all = await started(t, { timing: { ...quick, firstRetryMs: 100, maxRetryMs: 100 } }, ({ state }) => {
    const gone = () => {
      state.onWatch = (_request, response) => {
        gone()
        answer(response, 410, status(410, 'Expired'))
      }
    }
    gone()
  })
  await all.sync
  await new Promise(resolve => { setTimeout(resolve, 300) })
  t.ok(all.lists.length >= 3, 'it goes on')
  t.ok(all.lists.length <= 8, `${all.lists.length} lists in 300 ms`)
})

await t.test('a watch that closes at once is not a tight loop either', async t => {
  const all = await started(t, { timing: { ...quick, firstRetryMs: 100, maxRetryMs: 100 } }, ({ state }) => {
    const close = () => {
      state.onWatch = (_request, response) => {
        close()
        response.end()
      }
    }
    close()
  })
  await all.sync
  await new Promise(resolve => { setTimeout(resolve, 300) })
  t.ok(all.opened.length >= 2 && all.opened.length <= 8, `${all.opened.length} watches in 300 ms`)
  t.equal(all.lists.length, 1)
})

await t.test('garbage, an unknown error event or a line that is no event: logged, listed anew', async t => {
  for (const line of ['{"type":"ADDED","object":', '{}', 'null', '{"type":"ADDED","object":{"metadata":{"resourceVersion":"1"}}}',
    JSON.stringify({ type: 'ERROR', object: status(500, 'InternalError') })]) {
    const all = await started(t)
    await all.sync
    await until(() => all.watches.length, 'a watch')
    all.state.items = [item('a', '2')]
    all.watches[0]?.write(`${line}\n`)
    await until(() => all.watches.length === 2, `another watch after ${line}`)
    t.strictSame(all.take(), ['added ns/a 2'])
    t.strictSame(all.messages('warn', 'error'), ['a watch failed'])
    await all.cache.stop()
  }
})

await t.test('events of a type not known yet are passed over', async t => {
  const all = await started(t)
  await all.sync
  await until(() => all.watches.length, 'a watch')
  all.send('RENAMED', item('a', '2'))
  all.send('ADDED', item('b', '3'))
  await until(() => all.cache.size, 'the next event')
  t.strictSame(all.take(), ['added ns/b 3'])
  t.equal(all.lists.length, 1)
})

await t.test('a silent watch is torn down, and a list makes up for what it kept back', async t => {
  const all = await started(t, { timing: { ...quick, idleTimeoutMs: 150, staleAfterMs: 5000 } })
  await all.sync
  await until(() => all.watches.length, 'a watch')
  let closed = false
  all.watches[0]?.on('close', () => { closed = true })
  all.state.items = [item('a', '2')]
  await until(() => all.watches.length === 2, 'another watch')
  t.ok(closed, 'the silent connection is closed')
  t.strictSame(all.take(), ['added ns/a 2'])
  t.ok(all.events.includes('silent'))
  t.strictSame(all.messages('warn', 'error'), [])
  t.equal(all.cache.stale(), undefined)
})

await t.test('bookmarks keep a quiet watch alive', async t => {
  const all = await started(t, { timing: { ...quick, idleTimeoutMs: 150 } })
  await all.sync
  await until(() => all.watches.length, 'a watch')
  const timer = setInterval(() => { all.send('BOOKMARK', { metadata: { resourceVersion: '5' } }) }, 30)
  t.teardown(() => { clearInterval(timer) })
  await new Promise(resolve => { setTimeout(resolve, 400) })
  t.equal(all.watches.length, 1)
})

await t.test('a handler that throws is logged and counted, and the watch goes on', async t => {
  const all = await started(t)
  all.cache.onChange(({ key }) => { throw new Error(`cannot stand ${key}`) })
  await all.sync
  await until(() => all.watches.length, 'a watch')
  all.send('ADDED', item('a', '2'))
  all.send('ADDED', item('b', '3'))
  await until(() => all.cache.size === 2, 'both objects')
  t.equal(all.watches.length, 1)
  t.strictSame(all.messages('error'), ['a handler of a change failed', 'a handler of a change failed'])
  t.match(all.lines[0]?.fields, { key: 'ns/a', err: { message: 'cannot stand ns/a' } })
  t.equal(all.events.filter(event => event === 'handler-failed').length, 2)
})

await t.test('an outage: one line when it begins, one when it ends; stale meanwhile; nothing missed', async t => {
  const all = await started(t)
  await all.sync
  await until(() => all.watches.length, 'a watch')
  await all.api.down()
  await until(() => all.cache.stale(), 'staleness')
  t.equal(all.cache.stale(), 'the API server is away (ECONNREFUSED)')
  t.ok(all.cache.synced(), 'the last state is still there')
  all.state.items = [item('a', '2')]
  await new Promise(resolve => { setTimeout(resolve, 100) }) // many retries, at 20 ms
  t.ok(all.events.filter(event => event === 'failed').length > 3)
  t.strictSame(all.messages('info', 'warn', 'error'), ['waiting for the API server'])
  all.state.onWatch = (_request, response) => { answer(response, 410, status(410, 'Expired')) } // it has forgotten our version
  await all.api.up()
  await until(() => all.cache.size, 'what happened meanwhile')
  await until(() => all.messages('info').length, 'the second line')
  t.equal(all.cache.stale(), undefined)
  t.strictSame(all.messages('info', 'warn', 'error'), ['waiting for the API server', 'the API server is back'])
})

await t.test('started before the API server', async t => {
  const all = await started(t, {}, ({ state }) => {
    state.onList = (_request, response) => {
      state.onList = (_request, response) => { response.socket?.destroy() }
      answer(response, 503, 'starting')
    }
  })
  t.equal(all.cache.state(), 'pending')
  t.equal(all.cache.stale(), 'not listed yet')
  t.equal(await all.sync, 'synced')
  t.equal(all.lists.length, 3)
  await until(() => all.messages('info').length, 'the log')
  t.strictSame(all.messages('info', 'warn', 'error'), ['waiting for the API server', 'the API server is back'])
})

await t.test('Retry-After of a busy API server is kept', async t => {
  let at = 0
  const all = await started(t, { timing: { ...quick, maxRetryMs: 5000 } }, ({ state }) => {
    state.onList = (_request, response) => {
      at = performance.now()
      answer(response, 429, status(429, 'TooManyRequests'), { 'Retry-After': '1' })
    }
  })
  t.equal(await all.sync, 'synced')
  t.ok(performance.now() - at > 950)
})

await t.test('no permission is said once, and asked for from time to time', async t => {
  const all = await started(t, {}, ({ state }) => {
    let refusals = 5
    const refuse = () => {
      state.onList = (_request, response) => {
        if (--refusals > 0) refuse()
        answer(response, 403, status(403, 'Forbidden'))
      }
    }
    refuse()
  })
  t.equal(await all.sync, 'forbidden')
  t.equal(all.cache.synced(), false)
  t.equal(all.cache.stale(), 'forbidden: no permission to watch configmaps')
  await until(() => all.cache.state() === 'synced', 'the permission')
  t.strictSame(all.messages('info', 'warn', 'error'), ['no permission to list and watch'])
  t.equal(all.cache.stale(), undefined)
})

await t.test('an API server that has just started refuses what it allowed before, and is asked again soon', async t => {
  const refused = async (t: Test, refusals: number, timing: object) => {
    const all = await started(t, { timing: { ...quick, ...timing } })
    await all.sync
    await until(() => all.watches.length, 'a watch')
    all.send('BOOKMARK', { metadata: { resourceVersion: '2' } })
    const refuse = (left: number) => {
      all.state.onWatch = (_request, response) => {
        if (left > 1) refuse(left - 1)
        answer(response, 403, status(403, 'Forbidden'))
      }
    }
    refuse(refusals)
    all.watches[0]?.end()
    return all
  }

  const began = performance.now()
  const shortly = await refused(t, 3, { maxRetryMs: 60_000, staleAfterMs: 60_000 })
  await until(() => shortly.watches.length === 2, 'the next watch')
  t.ok(performance.now() - began < 5_000)
  t.equal(shortly.cache.state(), 'synced')
  t.strictSame(shortly.messages('info', 'warn', 'error'), [])
  t.equal(shortly.lists.length, 1)

  const long = await refused(t, 20, {})
  await until(() => long.cache.state() === 'forbidden', 'no permission')
  t.equal(long.cache.stale(), 'forbidden: no permission to watch configmaps')
  await until(() => long.cache.state() === 'synced', 'the permission')
  t.strictSame(long.messages('info', 'warn', 'error'), ['no permission to list and watch'])
})

await t.test('a kind that is not served is empty, until it is', async t => {
  const all = await started(t, {}, ({ state }) => {
    state.items = [item('a', '1')]
    state.onList = (_request, response) => { answer(response, 404, '404 page not found') }
  })
  t.equal(await all.sync, 'not-served')
  t.ok(all.cache.synced())
  t.equal(all.cache.stale(), undefined)
  await until(() => all.cache.size, 'the kind')
  t.equal(all.cache.state(), 'synced')
  await until(() => all.watches.length, 'a watch')
  all.state.onWatch = (_request, response) => {
    all.state.onList = (_request, response) => { answer(response, 404, '404 page not found') }
    answer(response, 404, '404 page not found')
  }
  all.send('BOOKMARK', { metadata: { resourceVersion: '2' } })
  all.watches[0]?.end()
  await until(() => all.cache.size === 0, 'the end of the kind')
  t.strictSame(all.take(), ['added ns/a 1', 'deleted ns/a 1'])
})

await t.test('metadata only, and only what is wanted of it', async t => {
  const accepts: (string | undefined)[] = []
  const all = await started(t, { metadataOnly: true }, ({ state }) => {
    state.items = [{ metadata: { name: 'a', resourceVersion: '1', managedFields: [{}] } }]
    state.onWatch = (request, response) => {
      accepts.push(request.headers.accept)
      response.writeHead(200).flushHeaders()
    }
  })
  await all.sync
  await until(() => accepts.length, 'a watch')
  t.strictSame([all.api.requests[0]?.headers.accept, ...accepts], [
    'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1', 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'])
  t.strictSame(all.cache.get('a')?.metadata, { name: 'a', resourceVersion: '1' })
})

await t.test('stop is prompt in every state, settles start, and closes the connection', async t => {
  const states: Record<string, (collection: Collection) => void> = {
    watching: () => {},
    listing: ({ state }) => { state.onList = () => {} },
    opening: ({ state }) => { state.onWatch = () => {} },
    waiting: ({ state }) => { state.onList = (_request, response) => { answer(response, 500, 'no') } },
  }
  for (const [name, before] of Object.entries(states)) {
    const all = await started(t, { timing: { ...quick, firstRetryMs: 60_000, maxRetryMs: 60_000 } }, before)
    await until(() => name === 'listing' ? all.lists.length : name === 'waiting' ? all.events.includes('failed') : all.opened.length, name)
    const begun = performance.now()
    await all.cache.stop()
    t.ok(performance.now() - begun < 500, name)
    t.equal(await all.sync, name === 'listing' || name === 'waiting' ? 'stopped' : 'synced')
    t.equal(all.cache.state(), 'stopped')
    const requests = all.api.requests.length
    await new Promise(resolve => { setTimeout(resolve, 30) })
    t.equal(all.api.requests.length, requests, 'and nothing comes after it')
    if (name === 'watching') t.ok(all.watches[0]?.closed)
  }
})

await t.test('a watch that is neither silent nor broken, but late, is stale by the clock alone', async t => {
  let now = 1000
  const all = await started(t, { now: () => now })
  await all.sync
  await until(() => all.watches.length, 'a watch')
  t.equal(all.cache.stale(), undefined)
  t.equal(all.cache.silentSeconds(), 0)
  now += quick.idleTimeoutMs + quick.staleAfterMs + 1
  t.equal(all.cache.stale(), 'nothing heard from the API server for 5 s')
})
