import type { Logger } from 'pino'
import t from 'tap'
import { stringify } from 'yaml'
import { liveBackend } from '../../src/command-line/backend.ts'
import { playground } from '../../src/command-line/playground.ts'
import { createMetrics } from '../../src/metrics.ts'
import type { LiveServer, Trial, TryRequest } from '../../src/playground/contract.ts'
import { defaultPolicy } from '../../src/rules/policy.ts'
import { capturedLog } from '../cluster/scripted-api.ts'
import { binariesOrSkip, startControlPlane } from '../control-plane/control-plane.ts'
import { grantRights, manifestFolder, serviceAccountKubeconfig } from './installation.ts'
import { kubectlUser, serverOf } from './kubectl-user.ts'

// The playground beside a real cluster, with the rights of the operator: it knows what is there, and changes nothing.

const binaries = await binariesOrSkip(t)
if (binaries) {
  const plane = await startControlPlane(t, binaries, { crds: [manifestFolder('crd.yaml')], audit: true })
  await grantRights(plane)
  const user = kubectlUser(plane)
  await user.apply({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'fast' }, provisioner: 'example.com/fast', allowVolumeExpansion: true })
  await user.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' }, stringData: { accessKeyId: 'id-of-the-key', secretAccessKey: 'hush-hush' } })
  const spec = { storage: { metadataSize: '10Gi', storageClassName: 'fast' }, s3: { credentialsSecretRef: { secretName: 'keys' } } }
  await user.apply(serverOf('files', spec))

  const kubeconfig = await serviceAccountKubeconfig(plane)
  const { log: captured, lines } = capturedLog()
  const log = captured as unknown as Logger
  const metrics = createMetrics()
  const backend = await liveBackend({ kubeconfig }, log, metrics)
  t.teardown(backend.stop)
  await backend.start(new AbortController().signal)
  const before = (await plane.audit()).length
  const page = await playground({ log, policy: defaultPolicy, backend, watchNamespace: undefined }).start(0, false, undefined)
  t.teardown(page.stop)
  const url = `http://localhost:${page.port}`
  const tryOut = async (request: TryRequest) => {
    const reply = await fetch(`${url}/api/try`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(request) })
    const text = await reply.text()
    t.notMatch(text, /hush-hush|id-of-the-key/, 'no value of a Secret')
    return JSON.parse(text) as Trial
  }

  await t.test('the state of the servers, and one of them as a manifest', async t => {
    const stopping = new AbortController()
    const { body } = await fetch(`${url}/api/reviews`, { signal: stopping.signal })
    let received = ''
    for await (const chunk of body ?? []) {
      received += Buffer.from(chunk as Uint8Array).toString()
      if (received.endsWith('\n\n')) break
    }
    stopping.abort()
    const [, data = ''] = /^event: servers\ndata: (.*)$/m.exec(received) ?? []
    const expected: LiveServer[] = [{ namespace: 'default', name: 'files', phase: 'Unknown', isReady: false, message: 'The operator has not reported yet.' }]
    t.strictSame(JSON.parse(data), expected)
  })

  await t.test('a trial knows the cluster', async t => {
    const running = await (await fetch(`${url}/api/servers/default/files`)).text()
    t.match(running, /^ {4}storageClassName: fast$/m)
    const text = stringify(serverOf('files', { ...spec, storage: { ...spec.storage, cacheSize: '10Gi' } }))
    t.match(await tryOut({ text, running, pane: 'effects' }), {
      servers: [{ allowed: true, operation: 'UPDATE', effects: { summary: 'The edit grows 1 volume and replaces the StatefulSet. The server keeps running.' } }],
    })
    t.match(await tryOut({ text: text.replace('fast', 'slow').replace('keys', 'none'), pane: 'picture' }), {
      servers: [{
        allowed: false,
        remarks: [{ message: /no such StorageClass; available: 'fast'/ }, { message: /Secret 'none' does not exist/ }],
        picture: { nodes: /./ },
      }],
    })
    t.match(await tryOut({ text, pane: 'objects' }), { servers: [{ creates: [{ kind: 'Secret' }, { kind: 'ConfigMap' }, { kind: 'Service' }, { kind: 'Service' }, { kind: 'Service' }, { kind: 'StatefulSet' }] }] })
  })

  await t.test('nothing is written, and nothing but reads is asked for', async t => {
    const writes = (await plane.audit()).slice(before).filter(({ user: { username } }) => username.includes('dittofs-operator'))
    t.strictSame(writes.map(({ verb, requestURI }) => `${verb} ${requestURI}`), [])
    const methods = (await metrics.restRequests.get()).values.map(({ labels: { method, code } }) => `${method} ${code}`)
    t.ok(methods.includes('GET 200'))
    t.notMatch(methods.join('\n'), /POST|PUT|PATCH|DELETE|403/)
    t.strictSame(lines.filter(({ level }) => level === 'error'), [])
  })

  await t.test('a cluster that does not answer is said, and ends nothing', async t => {
    await plane.killApiServer()
    const text = stringify(serverOf('files', { s3: { credentialsSecretRef: { secretName: 'other' } } }))
    for (const pane of ['verdict', 'effects'] as const) {
      const [server] = (await tryOut({ text, running: text, pane })).servers
      t.match(server, { allowed: true, notRendered: /^./, ...(pane === 'effects' ? { effects: { summary: /^./ } } : {}) })
    }
    t.match((await tryOut({ text, pane: 'verdict' })).servers[0]?.kubectl.join('\n'), /could not verify/)
  })
}
