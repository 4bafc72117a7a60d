import t from 'tap'
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { ApiClient } from '../../src/cluster/api-client.ts'
import { applyRequest, createRequest, deleteRequest, mergePatchRequest } from '../../src/cluster/api-requests.ts'
import { loadConnection } from '../../src/cluster/kubeconfig.ts'
import { LiveCluster } from '../../src/cluster/live-cluster.ts'
import { resourcePath } from '../../src/cluster/resource-path.ts'
import { secretResource } from '../../src/cluster/secret.ts'
import { storageClassResource } from '../../src/cluster/storage-class.ts'
import { WatchCache } from '../../src/cluster/watch-cache.ts'
import { absent, present, unknown } from '../../src/rules/facts.ts'
import { capturedLog, until } from '../cluster/scripted-api.ts'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { grantRights, isNamespaced, serviceAccountKubeconfig } from './installation.ts'
import type { LiveClusterOptions } from '../../src/cluster/live-cluster.ts'

const forever = new AbortController().signal
const soon = 30_000

const binaries = await binariesOrSkip(t)
if (binaries) {
  const plane = await startControlPlane(t, binaries)
  await grantRights(plane)
  const kubeconfigPath = await serviceAccountKubeconfig(plane)

  const connect = async (file: string) => {
    const client = new ApiClient({ connection: await loadConnection({ file }), userAgent: 'dittofs-operator/test' })
    t.teardown(() => { client.close() })
    return client
  }
  const admin = plane.client
  const operator = await connect(kubeconfigPath)

  async function cluster (client: ApiClient, timing: LiveClusterOptions['timing'] = {}) {
    const logs = capturedLog()
    const live = new LiveCluster({ client, log: logs.log, timing })
    await live.start()
    t.teardown(async () => { await live.stop() })
    return { live, ...logs }
  }

  const createClass = async (name: string, rest: object = {}) => await admin.request(createRequest(resourcePath(storageClassResource), {
    apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name }, provisioner: 'example.com/none', ...rest,
  }))
  const deleteClass = async (name: string) => await admin.request(deleteRequest(resourcePath(storageClassResource, { name })))
  const names = (live: LiveCluster) => {
    const classes = live.storageClasses()
    return classes.state === 'present' ? classes.value.map(({ name }) => name).join() : classes.state
  }

  await t.test('a StorageClass is created, changed and deleted', async t => {
    const { live } = await cluster(operator)
    t.equal(names(live), '')
    t.strictSame(await live.storageClass('fast', forever), absent)
    await createClass('fast', { allowVolumeExpansion: true })
    t.strictSame(await live.storageClass('fast', forever), present({ name: 'fast', isDefault: false, allowVolumeExpansion: true }),
      'at once, whether the watch has it or not')
    await createClass('archive')
    await until(() => names(live) === 'archive,fast', 'both', soon)
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' }
    await admin.request(mergePatchRequest(resourcePath(storageClassResource, { name: 'fast' }), { metadata: { annotations } }, 'test'))
    await until(() => JSON.stringify(live.storageClasses()).includes('"isDefault":true'), 'the default', soon)
    await deleteClass('fast')
    await deleteClass('archive')
    await until(() => names(live) === '', 'neither', soon)
    t.strictSame(await live.storageClass('fast', forever), absent)
  })

  await t.test('Secrets', async t => {
    const { live } = await cluster(operator)
    t.strictSame(await live.secret('default', 's3', forever), absent)
    t.strictSame(await live.secret('no-such-namespace', 's3', forever), isNamespaced ? unknown('forbidden: no permission to get secrets') : absent)
    await admin.request(createRequest(resourcePath(secretResource, { namespace: 'default' }), {
      apiVersion: 'v1', kind: 'Secret', metadata: { name: 's3' }, stringData: { accessKey: 'AKIA', motto: 'Grüße 🌍', empty: '' },
    }))
    t.strictSame(await live.secret('default', 's3', forever), present({ lengths: new Map([['accessKey', 4], ['empty', 0], ['motto', 7]]) }))
  })

  await t.test('server-side apply: the object is stored as sent, and conflicts are named', async t => {
    const path = resourcePath({ group: '', version: 'v1', resource: 'configmaps' }, { namespace: 'default', name: 'a' })
    const object = (data: Record<string, string>) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data })
    await admin.request(applyRequest(path, object({ x: '1' }), { fieldManager: 'one', force: false }))
    const conflict = admin.request(applyRequest(path, object({ x: '2' }), { fieldManager: 'two', force: false }))
    await t.rejects(conflict, { name: 'ApiError', status: 409, reason: 'Conflict', details: { causes: [{ field: '.data.x' }] } })
    t.match(await admin.request(applyRequest(path, object({ x: '2' }), { fieldManager: 'two', force: true })), { data: { x: '2' } })
    await t.rejects(admin.request(deleteRequest(path, { uid: '00000000-0000-0000-0000-000000000000' })), { name: 'ApiError', status: 409 })
    t.match(await admin.request(deleteRequest(path, { propagationPolicy: 'Foreground' })), { kind: 'ConfigMap' })
  })

  await t.test('the served kinds', async t => {
    const { live } = await cluster(operator)
    t.strictSame(await live.perconaServed(forever), absent)
    t.strictSame(await live.crdInstalled(forever), absent)
  })

  await t.test('the Percona operator and its clusters', async t => {
    const { live } = await cluster(operator)
    t.strictSame(await live.perconaOperator(forever), absent)
    t.strictSame(await live.perconaCluster('default', 'files-postgres', forever), absent)
    await plane.kubectl(['create', '-f', fileURLToPath(new URL('percona-crd.yaml', import.meta.url))])
    t.strictSame(await live.perconaOperator(forever), present({ version: '2.9.0' }))
    const object = {
      apiVersion: 'pgv2.percona.com/v2',
      kind: 'PerconaPGCluster',
      metadata: { name: 'files-postgres' },
      spec: { postgresVersion: 17, backups: { enabled: false }, instances: [{ name: 'instance1', dataVolumeClaimSpec: {} }] },
    }
    const created = async () => (await plane.kubectl(['create', '-f', '-'], JSON.stringify(object))).code === 0
    await eventually(created, 'the kind is served')
    t.strictSame(await live.perconaCluster('default', 'files-postgres', forever), present({ postgresVersion: 17 }))
    t.strictSame(await live.perconaServed(forever), present(true))
  })

  await t.test('metadata only: a watch on Secrets never contains a value, in lists of several pages and in events', async t => {
    const secrets = resourcePath(secretResource, { namespace: 'default' })
    const create = async (name: string) => await admin.request(createRequest(secrets, {
      apiVersion: 'v1', kind: 'Secret', metadata: { name, labels: { watched: 'yes' } }, stringData: { password: 'hunter2' },
    }))
    await Promise.all(Array.from({ length: 520 }, async (_, n) => await create(`s-${n}`)))
    const logs = capturedLog()
    const cache = new WatchCache({
      client: operator,
      log: logs.log,
      outage: logs.outage,
      path: secrets,
      labelSelector: 'watched=yes',
      metadataOnly: true,
      transform: object => object,
    })
    t.teardown(async () => { await cache.stop() })
    t.equal(await cache.start(), 'synced')
    t.equal(cache.size, 520)
    await create('one-more')
    await until(() => cache.get('default/one-more'), 'the event', soon)
    t.match(cache.get('default/one-more'), { kind: 'PartialObjectMetadata', metadata: { labels: { watched: 'yes' } } })
    t.notOk(cache.list().some(object => 'data' in object || JSON.stringify(object).includes('aHVudGVyMg')))
  })

  await t.test('a user without permissions gets no data, and the reason', async t => {
    const limited = await connect((await plane.addUser('limited', [])).kubeconfigPath)
    const { live, messages } = await cluster(limited)
    t.equal(live.stale(), undefined, 'serves all the same')
    t.strictSame(await live.secret('default', 's3', forever), unknown('forbidden: no permission to get secrets'))
    t.strictSame(await live.storageClass('fast', forever), unknown('forbidden: no permission to get storageclasses'))
    t.strictSame(live.storageClasses(), unknown('forbidden: no permission to watch storageclasses'))
    t.strictSame(await live.perconaServed(forever), present(true), 'discovery is open to everyone')
    t.strictSame(await live.perconaOperator(forever), unknown('forbidden: no permission to get customresourcedefinitions'))
    t.strictSame(await live.perconaCluster('default', 'files-postgres', forever), unknown('forbidden: no permission to get perconapgclusters'))
    t.equal(messages('error').length, 1)
  })

  await t.test('an API server that the kubeconfig does not trust', async t => {
    const stranger = new ApiClient({
      connection: { ...await loadConnection({ file: kubeconfigPath }), requestOptions: async () => ({}) },
      userAgent: 'dittofs-operator/test',
    })
    t.teardown(() => { stranger.close() })
    await t.rejects(stranger.request({ verb: 'get', method: 'GET', path: '/version' }), { name: 'ConnectionError', code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
  })

  await t.test('an API server that hangs and resumes', async t => {
    const { live } = await cluster(operator, { idleTimeoutMs: 1000, staleAfterMs: 1000, firstRetryMs: 100 })
    plane.signalApiServer('SIGSTOP')
    try {
      t.strictSame(await live.secret('default', 'other', AbortSignal.timeout(300)), unknown('timed out'))
      await until(() => live.stale(), 'not ready', soon)
    } finally {
      plane.signalApiServer('SIGCONT')
    }
    await until(() => live.stale() === undefined, 'ready', soon)
  })

  await t.test('an API server that is killed and restarted', async t => {
    const { live, messages, lines } = await cluster(operator, { firstRetryMs: 1000, staleAfterMs: 500 })
    await createClass('before')
    await until(() => names(live) === 'before', 'the class', soon)
    t.equal(live.stale(), undefined)
    await plane.killApiServer()
    await until(() => live.stale(), 'not ready', soon)
    t.match(live.stale(), /^the watch on StorageClasses is stale: the API server is unreachable \(ECONN(RESET|REFUSED)\)$/)
    await until(() => messages('warn').length, 'a second attempt', soon)
    t.strictSame(await live.storageClass('before', forever), unknown('the API server is unreachable (ECONNREFUSED)'))
    await plane.startApiServer()
    await createClass('after')
    await deleteClass('before')
    await until(() => live.stale() === undefined, 'ready', soon)
    await until(() => names(live) === 'after', 'what changed meanwhile', soon)
    t.strictSame(messages('warn', 'info').filter(message => message !== 'a lookup failed'), ['waiting for the API server', 'the API server is reachable again'])
    t.notOk(lines.some(({ level }) => level === 'error'))
  })

  await t.test('after stop() the process can end', async t => {
    const program = new URL('../cluster/start-and-stop.ts', import.meta.url).pathname
    const child = spawn(process.execPath, [program, kubeconfigPath], { stdio: ['ignore', 'pipe', 'inherit'] })
    const timer = setTimeout(() => { child.kill('SIGKILL') }, soon)
    const exited = new Promise(resolve => { child.on('exit', (code, signal) => { resolve(signal ?? code) }) })
    t.equal(await text(child.stdout), 'stopped absent')
    t.equal(await exited, 0)
    clearTimeout(timer)
  })
}
