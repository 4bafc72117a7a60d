import { existsSync } from 'node:fs'
import { execPath } from 'node:process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import t from 'tap'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'

// The foundation of the other end-to-end tests: real programs, and working controllers.

const needs = { controllerManager: true }
const binaries = await binariesOrSkip(t, needs)
if (binaries) {
  const plane = await startControlPlane(t, binaries, { ...needs, audit: true })
  const { kubectl, request, audit } = plane

  t.test('kubectl and the API server have the same version', async t => {
    const { stdout } = await kubectl(['version', '-o', 'json'])
    const { clientVersion, serverVersion } = JSON.parse(stdout) as Record<string, { gitVersion: string }>
    t.match(clientVersion?.gitVersion, /^v1\.\d+\.\d+$/)
    t.equal(clientVersion?.gitVersion, serverVersion?.gitVersion)
  })

  t.test('a StorageClass is created and read', async t => {
    const path = '/apis/storage.k8s.io/v1/storageclasses'
    const manifest = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'fast' }, provisioner: 'example.com/none' }
    t.equal((await request('POST', path, manifest)).status, 201)
    t.match(await request('GET', `${path}/fast`), { status: 200, body: { provisioner: 'example.com/none' } })
    const patch = { metadata: { labels: { tier: 'gold' } } }
    t.match(await request('PATCH', `${path}/fast`, patch, 'application/merge-patch+json'), { body: { metadata: { labels: { tier: 'gold' } } } })
    t.match((await kubectl(['get', 'storageclass', 'fast', '-o', 'name'])).stdout, 'storageclass.storage.k8s.io/fast')
  })

  t.test('a user has exactly the permissions that RBAC grants', async t => {
    const { kubeconfigPath } = await plane.addUser('jane', ['readers'])
    t.match((await kubectl(['get', 'pods'], '', kubeconfigPath)).stderr, /User "jane" cannot list resource "pods"/)
    await kubectl(['create', 'clusterrolebinding', 'readers', '--clusterrole=view', '--group=readers'])
    await eventually(async () => (await kubectl(['get', 'pods'], '', kubeconfigPath)).code === 0, 'may read')
    t.equal((await kubectl(['auth', 'can-i', 'create', 'pods'], '', kubeconfigPath)).stdout, 'no\n')
  })

  t.test('the controller manager creates claims from the templates of a StatefulSet, and the audit log shows it', async t => {
    const set = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'web' },
      spec: {
        serviceName: 'web',
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'example.com/web' }] } },
        volumeClaimTemplates: [{
          metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        }],
      },
    }
    t.equal((await kubectl(['apply', '-f', '-'], JSON.stringify(set))).code, 0)
    await eventually(async () => (await kubectl(['get', 'pvc', 'data-web-0'])).code === 0, 'the claim')
    const entries = await audit()
    const writer = (resource: string) => entries.find(({ verb, objectRef }) => verb === 'create' && objectRef?.resource === resource)?.user.username
    t.equal(writer('statefulsets'), 'envtest-admin')
    t.equal(writer('persistentvolumeclaims'), 'system:kube-controller-manager')
    t.notOk(entries.some(({ verb }) => ['get', 'list', 'watch'].includes(verb)), 'writes only')
  })

  t.test('garbage collection works, and finalizers are removed', async t => {
    t.equal((await kubectl(['delete', 'statefulset', 'web', '--wait=false'])).code, 0)
    await eventually(async () => (await kubectl(['get', 'pod', 'web-0'])).code !== 0, 'the pod is gone')
    t.equal((await kubectl(['delete', 'pvc', 'data-web-0', '--timeout=30s'])).code, 0)
  })

  t.test('the API server restarts with its data', async t => {
    await plane.killApiServer()
    t.not((await kubectl(['get', 'ns', '--request-timeout=1s'])).code, 0)
    t.throws(() => plane.signalApiServer('SIGTERM'), /does not run/)
    await plane.startApiServer()
    t.equal((await kubectl(['get', 'storageclass', 'fast'])).code, 0)
  })

  t.test('everything ends with the process that started it, however that ends', async t => {
    const program = `
      import t from 'tap'
      import { startControlPlane } from ${JSON.stringify(new URL('../control-plane/control-plane.ts', import.meta.url).href)}
      const { server, folder } = await startControlPlane(t, ${JSON.stringify(binaries)})
      console.log(JSON.stringify({ server, folder }))
      setInterval(() => {}, 1000)`
    const child = spawn(execPath, ['--input-type=module-typescript', '--eval', program], { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    let started: { server: string, folder: string } | undefined
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.trim().startsWith('{"server"')) {
        started = JSON.parse(line) as { server: string, folder: string }
        break
      }
    }
    if (!started) throw new Error('it did not start')
    const { server, folder } = started
    await t.rejects(fetch(server), { cause: { code: /CERT|SELF_SIGNED|UNABLE_TO/ } }, 'it serves')
    child.kill('SIGKILL')
    await once(child, 'exit')
    await eventually(async () => await fetch(server).then(() => false, (error: Error & { cause?: { code?: string } }) => error.cause?.code === 'ECONNREFUSED'), 'the port is closed', 10_000)
    await eventually(async () => !existsSync(folder), 'the folder is gone', 10_000)
    t.pass('nothing is left')
  })
}
