import t from 'tap'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { loadConnection } from '../../src/cluster/kubeconfig.ts'

const kubeconfig = (user: object, cluster: object = { server: 'https://127.0.0.1:1/base' }) => stringify({
  'current-context': 'one',
  clusters: [{ name: 'c', cluster }],
  users: [{ name: 'u', user }],
  contexts: [
    { name: 'one', context: { cluster: 'c', user: 'u', namespace: 'here' } },
    { name: 'two', context: { cluster: 'c', user: 'u' } },
    { name: 'broken', context: { cluster: 'nowhere', user: 'u' } },
    { name: 'nobody', context: { cluster: 'c', user: 'nobody' } },
  ],
})

/** Runs with only these variables, and with its own home folder. */
async function withEnvironment (environment: Readonly<Record<string, string>>, work: () => Promise<void>) {
  const before = process.env
  process.env = { PATH: before.PATH, HOME: '/nonexistent', ...environment }
  await work().finally(() => { process.env = before })
}

const authorization = async (connection: { requestOptions (): Promise<{ headers?: unknown }> }) =>
  ((await connection.requestOptions()).headers as Record<string, string>)['Authorization']

await t.test('a file, and its contexts', async t => {
  const file = join(t.testdir({ config: kubeconfig({ token: 'secret' }) }), 'config')
  const connection = await loadConnection({ file })
  t.equal(connection.server.href, 'https://127.0.0.1:1/base')
  t.equal(connection.namespace, 'here')
  t.equal(connection.inCluster, false)
  t.equal(await authorization(connection), 'Bearer secret')
  t.equal((await connection.requestOptions()).agent, undefined, 'the keep-alive agent of the client is used')
  t.equal((await loadConnection({ file, context: 'two' })).namespace, undefined)
})

await t.test('the error names the wrong setting', async t => {
  const dir = t.testdir({ config: kubeconfig({}), garbage: 'a: [', empty: '', noserver: kubeconfig({}, { server: 'nonsense' }), http: kubeconfig({}, { server: 'http://a' }) })
  const rejects = async (source: Parameters<typeof loadConnection>[0], message: RegExp) => {
    await t.rejects(loadConnection(source), { name: 'KubeconfigError', message })
  }
  await rejects({ file: join(dir, 'missing') }, /^--kubeconfig .*missing: ENOENT/)
  await rejects({ file: join(dir, 'garbage') }, /^--kubeconfig .*garbage: /)
  await rejects({ file: join(dir, 'empty') }, /^--kubeconfig .*empty: /)
  await rejects({ file: join(dir, 'config'), context: 'three' }, /no context 'three'; it has: 'one', 'two', 'broken', 'nobody'$/)
  await rejects({ file: join(dir, 'config'), context: 'nobody' }, /context 'nobody' names the user 'nobody', which the file does not have$/)
  await rejects({ file: join(dir, 'config'), context: 'broken' }, /context 'broken' names a cluster that the file does not have/)
  await rejects({ file: join(dir, 'noserver') }, /not a URL: 'nonsense'/)
  await rejects({ file: join(dir, 'http') }, /not https/)
  await withEnvironment({}, async () => {
    await rejects({ context: 'one' }, /^--context one: no kubeconfig to take it from: neither KUBECONFIG nor ~\/\.kube\/config exists/)
  })
})

await t.test('a token file is read again, inside and outside a pod', async t => {
  const dir = t.testdir({ config: kubeconfig({ tokenFile: 'token' }), token: 'first\n' })
  const connection = await loadConnection({ file: join(dir, 'config') })
  t.equal(await authorization(connection), 'Bearer first', 'without the line break')
  writeFileSync(join(dir, 'token'), 'second\n')
  t.equal(connection.refresh(), true, 'as after a 401; a minute passes otherwise')
  t.equal(await authorization(connection), 'Bearer second')
  t.equal(connection.refresh(), false, 'not again at once')
})

await t.test('a half-written kubeconfig does not discard the credentials', async t => {
  const file = join(t.testdir({ config: kubeconfig({ token: 'secret' }) }), 'config')
  const connection = await loadConnection({ file })
  writeFileSync(file, 'a: [')
  t.equal(connection.refresh(), false)
  t.equal(await authorization(connection), 'Bearer secret')
})

await t.test('an exec plugin is called', async t => {
  const dir = t.testdir({})
  const plugin = join(dir, 'plugin')
  const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token: 'from the plugin' } }
  writeFileSync(plugin, `#!/bin/sh\necho run >> ${join(dir, 'runs')}\ncat <<'JSON'\n${JSON.stringify(credential)}\nJSON\n`)
  chmodSync(plugin, 0o755)
  const file = join(dir, 'config')
  writeFileSync(file, kubeconfig({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command: plugin, interactiveMode: 'Never' } }))
  const connection = await loadConnection({ file })
  t.strictSame(await Promise.all([authorization(connection), authorization(connection)]), ['Bearer from the plugin', 'Bearer from the plugin'])
  t.equal(readFileSync(join(dir, 'runs'), 'utf8'), 'run\n', 'once for both')
  writeFileSync(file, kubeconfig({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command: join(dir, 'no-such-plugin') } }))
  const failing = await loadConnection({ file })
  await t.rejects(failing.requestOptions(), { code: 'ENOENT' })
})

await t.test('without a file, the defaults of kubectl are used', async t => {
  const named = (name: string, token: string, current = name) => stringify({
    'current-context': current,
    clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:1/${name}` } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: 'c', user: name, namespace: name } }],
  })
  const dir = t.testdir({
    a: named('a', '1'), b: named('b', '2'), c: named('a', '3', ''), broken: 'a: [', home: { '.kube': { config: named('home', '4') } },
  })
  const file = (name: string) => join(dir, name)
  const list = (...names: string[]) => names.map(name => name === '' ? '' : file(name)).join(':')
  const loaded = async (environment: Readonly<Record<string, string>>, context?: string) => {
    let found: unknown[] = []
    await withEnvironment(environment, async () => {
      const connection = await loadConnection(context === undefined ? {} : { context })
      found = [connection.server.pathname, connection.namespace, await authorization(connection)]
    })
    return found
  }
  const HOME = file('home')
  t.strictSame(await loaded({ KUBECONFIG: file('a') }), ['/a', 'a', 'Bearer 1'])
  t.strictSame(await loaded({ KUBECONFIG: list('a', 'b') }), ['/a', 'a', 'Bearer 1'], 'the first one says which context')
  t.strictSame(await loaded({ KUBECONFIG: list('a', 'b') }, 'b'), ['/a', 'b', 'Bearer 2'], 'of entries with the same name the first one counts')
  t.strictSame(await loaded({ KUBECONFIG: list('c', 'b') }), ['/a', 'b', 'Bearer 2'], 'unless it has none')
  t.strictSame(await loaded({ KUBECONFIG: list('', 'missing', 'b', '') }), ['/b', 'b', 'Bearer 2'], 'what is not there is passed over')
  t.strictSame(await loaded({ KUBECONFIG: file('a'), HOME }), ['/a', 'a', 'Bearer 1'])
  t.strictSame(await loaded({ KUBECONFIG: '', HOME, KUBERNETES_SERVICE_HOST: '10.96.0.1' }), ['/home', 'home', 'Bearer 4'], 'a file before the pod')
  await t.rejects(loaded({ KUBECONFIG: file('missing'), HOME }), { name: 'KubeconfigError', message: /^KUBECONFIG .*missing: no such file$/ })
  await t.rejects(loaded({ KUBECONFIG: list('a', 'broken') }), { name: 'KubeconfigError', message: /^KUBECONFIG .*broken: / })
  await t.rejects(loaded({ KUBECONFIG: list('a', 'b') }, 'nope'), { message: /no context 'nope'; it has: 'a', 'b'$/ })
})

await t.test('in a pod', async t => {
  const root = t.testdir({})
  const service = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' }
  await withEnvironment({}, async () => {
    await t.rejects(loadConnection({ root }), { name: 'KubeconfigError', message: /^no cluster: give --kubeconfig FILE/ })
  })
  await withEnvironment(service, async () => {
    await t.rejects(loadConnection({ root }), { name: 'KubeconfigError', message: /automountServiceAccountToken/ })
    const directory = join(root, 'var/run/secrets/kubernetes.io/serviceaccount')
    mkdirSync(directory, { recursive: true })
    for (const [name, content] of Object.entries({ 'ca.crt': 'CA', token: 'pod\n', namespace: 'dittofs-system' })) {
      writeFileSync(join(directory, name), content)
    }
    const connection = await loadConnection({ root })
    t.equal(connection.server.href, 'https://10.96.0.1/')
    t.equal(connection.namespace, 'dittofs-system')
    t.equal(connection.inCluster, true)
    t.equal(await authorization(connection), 'Bearer pod')
    t.equal(String((await connection.requestOptions()).ca), 'CA')
  })
})
