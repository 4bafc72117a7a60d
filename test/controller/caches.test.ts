import type { ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { systemClock } from '../../src/clock.ts'
import { metadataOf } from '../../src/cluster/collection.ts'
import type { KindName } from '../../src/cluster/kinds.ts'
import { Caches, type CachesOptions } from '../../src/controller/caches.ts'
import { answer, capturedLog, item, list, scriptedApi, status, until } from '../cluster/scripted-api.ts'

/** By the plural of a kind: its objects, or the status with which it is refused. Other kinds are empty. */
type Found = Readonly<Record<string, readonly unknown[] | number | 'no answer'>>

async function cachesOf (t: Test, found: Found = {}, options: Partial<CachesOptions> = {}, isObserved = true) {
  const watches = new Map<string, ServerResponse>()
  const { client, requests } = await scriptedApi(t, ({ url }, response) => {
    const plural = url.pathname.split('/').at(-1) ?? ''
    const objects = found[plural] ?? []
    if (objects === 'no answer') return
    if (typeof objects === 'number') return answer(response, objects, status(objects, 'Refused'))
    if (!url.searchParams.has('watch')) return answer(response, 200, list(objects, '5'))
    response.writeHead(200).flushHeaders()
    watches.set(plural, response)
  })
  const { log, outage } = capturedLog()
  const events: string[] = []
  const caches = new Caches({
    client, log, outage, secretAccess: 'watch', clock: systemClock, random: () => 0.5, ...(isObserved ? { onWatch: (kind, event) => { events.push(`${kind} ${event}`) } } : {}), ...options,
  })
  t.teardown(async () => { await caches.stop() })
  const started = caches.start()
  return { caches, requests, watches, events, started }
}

const managed = 'app.kubernetes.io/managed-by=dittofs-operator'
const ofServer = 'app=dittofs-server'
const crd = 'perconapgclusters.pgv2.percona.com'

t.test('the requests to the API server', async t => {
  const asked = async (options: Partial<CachesOptions>) => {
    const { requests, started } = await cachesOf(t, {}, options)
    await started
    return requests.filter(({ url }) => !url.searchParams.has('watch')).map(({ url: { pathname, searchParams }, headers: { accept } }) =>
      [pathname, searchParams.get('labelSelector'), searchParams.get('fieldSelector'), accept === metadataOf('PartialObjectMetadataList')]).sort()
  }
  const all = (namespace: string) => [
    ['/apis/apiextensions.k8s.io/v1/customresourcedefinitions', null, `metadata.name=${crd}`, true],
    [`/apis/apps/v1${namespace}/statefulsets`, managed, null, false],
    [`/apis/dittofs.dittofs.com/v1alpha1${namespace}/dittoservers`, null, null, false],
    [`/apis/pgv2.percona.com/v2${namespace}/perconapgclusters`, managed, null, false],
    [`/api/v1${namespace}/configmaps`, managed, null, false],
    [`/api/v1${namespace}/persistentvolumeclaims`, ofServer, null, false],
    [`/api/v1${namespace}/pods`, ofServer, null, false],
    [`/api/v1${namespace}/secrets`, null, null, true],
    [`/api/v1${namespace}/services`, managed, null, false],
  ].sort()
  t.strictSame(await asked({}), all(''))
  t.strictSame(await asked({ namespace: 'files' }), all('/namespaces/files'))
  t.strictSame(await asked({ secretAccess: 'get' }), all('').filter(([path]) => path !== '/api/v1/secrets'))
})

t.test('the known states of an object', async t => {
  const found = { dittoservers: [item('demo', '1')], configmaps: [item('demo-config', '2')], perconapgclusters: 404, pods: 403, services: 'no answer' } as const
  const { caches, started, events } = await cachesOf(t, found)
  void started
  await until(() => events.length >= 15, 'every answer that comes')
  const cases: [kind: KindName, name: string, known: object][] = [
    ['DittoServer', 'demo', { state: 'present', object: { metadata: { resourceVersion: '1' } } }],
    ['DittoServer', 'other', { state: 'absent' }],
    ['ConfigMap', 'demo-config', { state: 'present' }],
    ['ConfigMap', 'other', { state: 'unlisted' }],
    ['PerconaPGCluster', 'demo', { state: 'absent' }],
    ['Pod', 'demo-0', { state: 'unknown', reason: 'no permission to watch Pod' }],
    ['Service', 'demo-file', { state: 'unknown', reason: 'Service has not been listed yet' }],
  ]
  for (const [kind, name, known] of cases) t.match(caches.known(kind, 'ns', name), known, `${kind} ${name}`)
  t.strictSame(caches.known('DittoServer', 'elsewhere', 'demo'), { state: 'absent' })
  t.match(caches.get('DittoServer', 'ns', 'demo'), { metadata: { name: 'demo' } })
  t.equal(caches.get('DittoServer', 'elsewhere', 'demo'), undefined)
  t.strictSame(caches.list('ConfigMap').map(({ metadata: { name } }) => name), ['demo-config'])
  t.strictSame(['DittoServer', 'PerconaPGCluster', 'Pod', 'Service'].map(kind => caches.isServed(kind as KindName)), [true, false, false, false])
  t.equal(caches.resourceVersion('DittoServer'), '5')
  t.equal(caches.resourceVersion('Service'), undefined)
  t.equal(caches.sizes().get('ConfigMap'), 1)
  t.equal(caches.sizes().size, 9)
  t.ok(events.includes('ConfigMap list') && events.includes('ConfigMap watch') && events.includes('Pod failed'))
  await caches.stop()
  t.strictSame(caches.known('ConfigMap', 'ns', 'other'), { state: 'unknown', reason: 'ConfigMap has not been listed yet' })
})

t.test('without a watch on Secrets, nothing is known about them', async t => {
  const { caches, started } = await cachesOf(t, {}, { secretAccess: 'get' })
  await started
  t.equal(caches.known('Secret', 'ns', 'demo'), undefined)
  t.equal(caches.get('Secret', 'ns', 'demo'), undefined)
  t.strictSame(caches.list('Secret'), [])
  t.equal(caches.isServed('Secret'), false)
  t.equal(caches.resourceVersion('Secret'), undefined)
  caches.onChange('Secret', () => { t.fail('nothing changes') })
  t.strictSame(caches.stale(), [])
})

t.test('the caches that cannot be relied on', async t => {
  const { caches, started, events } = await cachesOf(t, { configmaps: 403, customresourcedefinitions: 403, services: 'no answer', perconapgclusters: 404 })
  void started
  await until(() => events.length >= 15, 'every answer that comes')
  t.strictSame(caches.stale(), [
    'the watch on ConfigMap is stale: no permission to watch it', 'the watch on Service is stale: not listed yet',
  ], 'the definition of Percona is done without')
  const watches = caches.watches()
  t.strictSame(watches.filter(({ stale }) => stale).map(({ kind }) => kind), ['ConfigMap', 'Service'])
  t.equal(watches.length, 9)
  t.equal(watches.find(({ kind }) => kind === 'Service')?.silentSeconds, undefined)
  t.ok(Number(watches.find(({ kind }) => kind === 'Pod')?.silentSeconds) >= 0)
})

t.test('changes are reported in the cached form', async t => {
  const { caches, started, watches } = await cachesOf(t, { secrets: [item('a', '1')] })
  const told: string[] = []
  caches.onChange('Secret', ({ type, key, object }) => { told.push(`${type} ${key} ${JSON.stringify(object.metadata.annotations)}`) })
  await started
  await until(() => watches.size === 9, 'every watch')
  const annotations = { 'dittofs.dittofs.com/applied': 'x', note: 'y' }
  watches.get('secrets')?.write(`${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'b', namespace: 'ns', resourceVersion: '6', annotations } } })}\n`)
  await until(() => told.length === 2, 'the change')
  t.strictSame(told, ['added ns/a undefined', 'added ns/b {"dittofs.dittofs.com/applied":"x"}'])
})

t.test('start waits for every kind, stop ends every watch', async t => {
  const { caches, started, watches, requests } = await cachesOf(t, { pods: 'no answer' }, {}, false)
  let isStarted = false
  void started.then(() => { isStarted = true })
  await until(() => watches.size === 8, 'the others')
  t.notOk(isStarted)
  await caches.stop()
  await started
  for (const [plural, response] of watches) await until(() => response.closed, `the end of the watch on ${plural}`)
  const { length } = requests
  await new Promise(resolve => { setTimeout(resolve, 20) })
  t.equal(requests.length, length)
})
