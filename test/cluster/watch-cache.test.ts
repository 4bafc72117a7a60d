import t, { type Test } from 'tap'
import { systemClock, type Clock } from '../../src/clock.ts'
import { withoutManagedFields } from '../../src/cluster/kubernetes-object.ts'
import { WatchCache } from '../../src/cluster/watch-cache.ts'
import { answer, capturedLog, item, list, scriptedApi, scriptedCollection, status, until, type Script } from './scripted-api.ts'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import type { WatchCacheEvent, WatchCacheOptions } from '../../src/cluster/watch-cache.ts'

const path = '/api/v1/configmaps'
const quick = { firstRetryMs: 5, maxRetryMs: 20, idleTimeoutMs: 5000, staleAfterMs: 50 }

async function started (
  t: Test, options: Partial<WatchCacheOptions<KubernetesObject>> = {}, before = (_: Collection) => {}, isObserved = true,
) {
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
    path,
    transform: withoutManagedFields,
    timing: quick,
    ...(isObserved ? { observe: event => { events.push(event) } } : {}),
    ...options,
  })
  cache.onChange(({ type, key, object }) => { changes.push(`${type} ${key} ${object.metadata.resourceVersion}`) })
  t.teardown(async () => { await cache.stop() })
  const sync = cache.start()
  return { ...collection, api, ...logs, events, changes, cache, sync, take: () => changes.splice(0) }
}
type Collection = ReturnType<typeof scriptedCollection>

await t.test('lists, then watches', async t => {
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
  t.ok(Number(searchParams.get('timeoutSeconds')) >= 40 && Number(searchParams.get('timeoutSeconds')) <= 50)
  send('ADDED', item('c', '6'))
  send('MODIFIED', item('a', '7', { data: { x: 'é'.repeat(100_000) } }))
  send('DELETED', item('b', '8'))
  await until(() => cache.get('ns/b') === undefined, 'the deletion')
  t.strictSame(take(), ['added ns/c 6', 'modified ns/a 7', 'deleted ns/b 4'])
  t.equal(cache.size, 2)
  t.equal(cache.stale(), undefined)
  t.equal(state.resourceVersion, '5')
})

await t.test('each page is processed before the next one is requested; deletions are reported after the last page', async t => {
  const seen: Record<string, string[]> = {}
  const { cache, sync, watches, send, state, take } = await started(t, {}, ({ state }) => {
    state.items = [item('a', '1'), item('gone', '2')]
  })
  await sync
  await until(() => watches.length, 'a watch')
  take()
  const known = () => cache.list().map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`)
  state.onList = (_, response) => {
    state.onList = (_, response) => {
      seen.second = known()
      answer(response, 200, list([item('b', '12')], '20'))
    }
    answer(response, 200, list([item('a', '11')], '20', 'token'))
  }
  send('ERROR', status(410, 'Expired'))
  await until(() => cache.resourceVersion() === '20', 'the second list')
  t.strictSame(seen.second, ['a 11', 'gone 2'])
  t.strictSame(known(), ['a 11', 'b 12'])
  t.strictSame(take(), ['modified ns/a 11', 'added ns/b 12', 'deleted ns/gone 2'])
})

await t.test('a long list is requested in pages', async t => {
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
  t.strictSame(pages, [null, '100', 'a=b,c in (d)', 'token/+='])
  t.strictSame(take(), ['added ns/a 1', 'added ns/b 2'])
  t.equal(cache.size, 2)
})

await t.test('a watch that ends continues from the last event or bookmark', async t => {
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

await t.test('after a 410 it lists again: deleted objects are reported, unchanged ones are not', async t => {
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

await t.test('a 410 in the middle of a long list restarts the list', async t => {
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

await t.test('a permanent 410 does not cause a tight loop', async t => {
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

await t.test('the delay before the next attempt', async t => {
  let now = 0
  const pauses: number[] = []
  const sleep: Clock['sleep'] = async (milliseconds, signal) => {
    const isPause = milliseconds <= 1000
    if (isPause) pauses.push(milliseconds)
    await systemClock.sleep(isPause ? 0 : milliseconds, signal)
  }
  const fail: Script = (_request, response) => { answer(response, 500, 'no') }
  const timing = { firstRetryMs: 100, maxRetryMs: 1000, idleTimeoutMs: 60_000, staleAfterMs: 60_000 }
  const clock = { ...systemClock, monotonic: () => now, sleep }
  const { state, watches, events, send, cache, sync } = await started(t, { timing, random: () => 0.5, clock }, ({ state }) => {
    state.onList = (request, response) => {
      state.onList = fail
      fail(request, response)
    }
  })
  await sync
  const opened = async (number: number) => { await until(() => events.filter(event => event === 'watch').length === number, 'a watch') }
  let ended = 0
  /** Ends the watch after so long, and returns the pauses before the next one. */
  const end = async (milliseconds: number) => {
    now += milliseconds
    watches.at(-1)?.end()
    await opened(++ended + 1)
    return pauses.splice(0)
  }
  await opened(1)
  t.strictSame(pauses.splice(0), [75, 150], 'failures')
  t.strictSame(await end(0), [300], 'a watch that brings nothing and ends at once is no success')
  send('BOOKMARK', { metadata: { resourceVersion: '2' } })
  await until(() => cache.resourceVersion() === '2', 'the bookmark')
  t.strictSame(await end(0), [0], 'one that brings something is')
  t.strictSame(await end(1000), [75], 'so that this is the first of a new series')
  state.onWatch = fail
  t.strictSame(await end(1001), [0, 75], 'one that lasts is a success, too')
})

await t.test('an occasional expired version causes no delay', async t => {
  const all = await started(t, { timing: { ...quick, firstRetryMs: 60_000, maxRetryMs: 60_000 } })
  await all.sync
  await until(() => all.watches.length, 'a watch')
  all.send('ERROR', status(410, 'Expired'))
  for (const version of ['2', '3']) {
    await until(() => all.watches.length === Number(version), 'the next watch')
    all.send('BOOKMARK', { metadata: { resourceVersion: version } })
    await until(() => all.cache.resourceVersion() === version, 'the bookmark')
    all.send('ERROR', status(410, 'Expired'))
  }
  await until(() => all.watches.length === 4, 'the last watch')
  t.match(all.lines.filter(({ level }) => level === 'debug')[0], { message: 'listing again', fields: { watch: path, event: 'gone' } })
})

await t.test('an interrupted watch continues, without a warning', async t => {
  const all = await started(t)
  await all.sync
  await until(() => all.watches.length, 'a watch')
  all.send('BOOKMARK', { metadata: { resourceVersion: '2' } })
  await until(() => all.cache.resourceVersion() === '2', 'the bookmark')
  all.watches[0]?.destroy()
  await until(() => all.watches.length === 2, 'the next watch')
  t.equal(all.lists.length, 1)
  t.equal(all.opened[1]?.searchParams.get('resourceVersion'), '2')
  t.strictSame(all.messages('info', 'warn', 'error'), [])
  t.match(all.lines, [{ level: 'debug', message: 'a watch was interrupted', fields: { watch: path, reason: /API server is unreachable/ } }])
})

await t.test('onEvent is optional', async t => {
  const all = await started(t, {}, ({ state }) => {
    state.onList = (_request, response) => { answer(response, 500, 'no') }
  }, false)
  all.cache.onChange(() => { throw new Error('no') })
  await all.sync
  await until(() => all.watches.length, 'a watch')
  all.send('ADDED', item('a', '2'))
  await until(() => all.cache.size, 'the object')
  all.watches[0]?.end()
  await until(() => all.watches.length === 2, 'the next watch')
  all.send('ERROR', status(410, 'Expired'))
  await until(() => all.watches.length === 3, 'the next watch')
  t.equal(all.lists.length, 3, 'the one that failed, the first one, and one since a version was gone')
  t.equal(all.cache.stale(), undefined)
})

await t.test('a watch that closes immediately does not cause a tight loop either', async t => {
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

await t.test('invalid data, an unknown error event or an invalid line: logged, listed again', async t => {
  const tooLarge = `{"type":"ADDED","object":"${'x'.repeat(8 * 1024 * 1024)}"}`
  for (const line of ['{"type":"ADDED","object":', tooLarge, '{}', 'null', '{"type":"ADDED","object":{"metadata":{"resourceVersion":"1"}}}',
    JSON.stringify({ type: 'ERROR', object: status(500, 'InternalError') })]) {
    const all = await started(t)
    await all.sync
    await until(() => all.watches.length, 'a watch')
    all.state.items = [item('a', '2')]
    all.watches[0]?.write(`${line}\n`)
    await until(() => all.watches.length === 2, `another watch after ${line.slice(0, 100)}`)
    t.strictSame(all.take(), ['added ns/a 2'])
    t.strictSame(all.messages('warn', 'error'), ['a watch failed'])
    t.match(all.lines.find(({ level }) => level === 'error')?.fields, { watch: path, reason: /./, err: Error })
    await all.cache.stop()
  }
})

await t.test('events of unknown types are ignored', async t => {
  const all = await started(t)
  await all.sync
  await until(() => all.watches.length, 'a watch')
  all.send('RENAMED', item('a', '2'))
  all.send('ADDED', item('b', '3'))
  await until(() => all.cache.size, 'the next event')
  t.strictSame(all.take(), ['added ns/b 3'])
  t.equal(all.lists.length, 1)
})

await t.test('a silent watch is closed, and a list recovers the missed changes', async t => {
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

await t.test('bookmarks keep an idle watch open', async t => {
  const all = await started(t, { timing: { ...quick, idleTimeoutMs: 150 } })
  await all.sync
  await until(() => all.watches.length, 'a watch')
  const timer = setInterval(() => { all.send('BOOKMARK', { metadata: { resourceVersion: '5' } }) }, 30)
  t.teardown(() => { clearInterval(timer) })
  await new Promise(resolve => { setTimeout(resolve, 400) })
  t.equal(all.watches.length, 1)
})

await t.test('an exception in a handler is logged and counted, and the watch continues', async t => {
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

await t.test('an outage: one line at the start, one at the end; stale in between; no change is missed', async t => {
  const all = await started(t)
  await all.sync
  await until(() => all.watches.length, 'a watch')
  await all.api.down()
  await until(() => all.cache.stale(), 'staleness')
  t.equal(all.cache.stale(), 'the API server is unreachable (ECONNREFUSED)')
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
  t.strictSame(all.messages('info', 'warn', 'error'), ['waiting for the API server', 'the API server is reachable again'])
})

await t.test('the cache starts before the API server', async t => {
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
  t.strictSame(all.messages('info', 'warn', 'error'), ['waiting for the API server', 'the API server is reachable again'])
})

await t.test('Retry-After of a busy API server is respected', async t => {
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

await t.test('a missing permission is logged once, and retried periodically', async t => {
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
  t.match(all.lines.find(({ level }) => level === 'error')?.fields, { watch: path, err: { status: 403 } })
  t.equal(all.cache.stale(), undefined)
})

await t.test('an API server that has just started may refuse what it allowed before, and is retried soon', async t => {
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
  t.match(shortly.lines.find(({ message }) => message === 'a watch was refused')?.fields, { watch: path, err: { status: 403 } })
  t.equal(shortly.lists.length, 1)

  const moments = [0, 50, 51]
  let now = 0
  const all = await started(t, { timing: quick, clock: { ...systemClock, monotonic: () => now } })
  await all.sync
  await until(() => all.events.includes('watch'), 'a watch')
  const refuseAtMoments: Script = (_request, response) => {
    now = moments.shift() ?? now
    if (moments.length > 0) all.state.onWatch = refuseAtMoments
    answer(response, 403, status(403, 'Forbidden'))
  }
  all.state.onWatch = refuseAtMoments
  all.watches[0]?.end()
  await until(() => all.cache.state() === 'forbidden', 'no permission')
  t.equal(all.messages('debug').length, 2, 'for as long as a copy may be stale, and not a millisecond more')

  const long = await refused(t, 20, {})
  await until(() => long.cache.state() === 'forbidden', 'no permission')
  t.equal(long.cache.stale(), 'forbidden: no permission to watch configmaps')
  await until(() => long.cache.state() === 'synced', 'the permission')
  t.strictSame(long.messages('info', 'warn', 'error'), ['no permission to list and watch'])
})

await t.test('a kind that is not served is empty until it is served', async t => {
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
  t.match(all.lines.filter(({ message }) => /not served/.test(message)), [{ level: 'info', fields: { watch: path } }, { level: 'info' }], 'said once each time')
  t.strictSame(all.take(), ['added ns/a 1', 'deleted ns/a 1'])
})

await t.test('a kind that is not served is checked periodically', async t => {
  for (const [random, pause] of [[0, 500], [1, 1000]] as const) {
    const pauses: number[] = []
    const sleep: Clock['sleep'] = async (milliseconds, signal) => {
      if (milliseconds <= 2000) pauses.push(milliseconds)
      await systemClock.sleep(Math.min(milliseconds, milliseconds <= 2000 ? 0 : Infinity), signal)
    }
    const timing = { ...quick, firstRetryMs: 5, maxRetryMs: 1000 }
    const all = await started(t, { timing, random: () => random, clock: { ...systemClock, sleep } }, ({ state }) => {
      const refuse = (left: number) => {
        state.onList = (_request, response) => {
          if (left > 1) refuse(left - 1)
          answer(response, 404, '404 page not found')
        }
      }
      refuse(3)
    })
    await until(() => all.cache.state() === 'synced', 'the kind')
    t.strictSame(pauses, [pause, pause, pause])
    t.equal(all.messages('info').length, 1, 'which is said once')
  }
})

await t.test('metadata only, mapped to the cached form', async t => {
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

await t.test('stop is immediate in every state, settles start, and closes the connection', async t => {
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
    t.strictSame(all.messages('info', 'warn', 'error'), name === 'waiting' ? ['waiting for the API server'] : [], 'that it stops is no failure')
  }
})

await t.test('a watch that is late is stale by the clock, even if it is not silent or broken', async t => {
  let now = 1000
  const all = await started(t, { clock: { ...systemClock, monotonic: () => now } })
  await all.sync
  await until(() => all.watches.length, 'a watch')
  t.equal(all.cache.stale(), undefined)
  t.equal(all.cache.silentSeconds(), 0)
  now += quick.idleTimeoutMs + quick.staleAfterMs
  t.equal(all.cache.stale(), undefined)
  now += 1
  t.equal(all.cache.silentSeconds(), (quick.idleTimeoutMs + quick.staleAfterMs + 1) / 1000)
  t.equal(all.cache.stale(), 'no data from the API server for 5 s')
})

await t.test('by default an outage counts after 30 s, and silence after 85 s', async t => {
  const now = 1000
  const all = await started(t, { timing: {}, clock: { ...systemClock, monotonic: () => now } })
  await all.sync
  await until(() => all.events.includes('watch'), 'a watch')
  t.equal(all.cache.stale(now + 85_000), undefined)
  t.equal(all.cache.stale(now + 85_001), 'no data from the API server for 85 s')
  await all.api.down()
  await until(() => all.events.includes('failed'), 'an outage')
  t.equal(all.cache.stale(now + 30_000), undefined)
  t.match(all.cache.stale(now + 30_001), /the API server is unreachable/)
})

await t.test('after a stop, nothing restarts it', async t => {
  const all: Awaited<ReturnType<typeof started>> = await started(t, {
    observe: event => { if (event === 'list') void all.cache.stop() },
  })
  t.equal(await all.sync, 'stopped')
  await all.cache.stop()
  t.equal(all.cache.state(), 'stopped')
})
