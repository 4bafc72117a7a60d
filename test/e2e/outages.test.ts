import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { asServiceAccount } from './installation.ts'
import { kubectlUser, serverOf } from './kubectl-user.ts'
import { startOperator } from './operator.ts'

// The reconcile loop while the API server, or the webhook, is unavailable.

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const binaries = await binariesOrSkip(t, { controllerManager: true })
if (binaries) {
  const plane = await startControlPlane(t, binaries, {
    crds: [file('../../manifests/crd.yaml')], webhooks: [file('../../manifests/webhooks.yaml')], controllerManager: true,
  })
  const rights = await asServiceAccount(plane)
  const { run, apply, patch, awaitObject, awaitGone, awaitCondition, get } = kubectlUser(plane)
  const configurations = ['mutatingwebhookconfiguration', 'validatingwebhookconfiguration']
  const saved = (await run(['get', ...configurations.slice(1), '-o', 'yaml'])).replace(/^ {4}(resourceVersion|uid|creationTimestamp|generation):.*\n/gm, '')
  const withoutWebhook = async () => { for (const kind of configurations) await run(['delete', kind, '--all']) }

  await t.test('outages', async t => {
    await withoutWebhook()
    const operator = await startOperator(t, [...rights, '--no-webhook'])
    await operator.ready()
    await apply(serverOf('before'))
    await awaitCondition('before', 'ConfigReady', 'True', 'ConfigValid', 60_000)

    await t.test('the API server is killed and restarted', async t => {
      await plane.killApiServer()
      await delay(3_000)
      t.equal((await operator.get('/livez')).status, 200)
      await plane.startApiServer()
      await apply(serverOf('after', { metrics: { enabled: true } }))
      await awaitObject('statefulset', 'after', () => true, 'made', 60_000)
      await patch('dittoserver', 'before', { spec: { metrics: { enabled: true } } })
      await awaitObject('service', 'before-metrics', () => true, 'made', 60_000)
      t.equal(operator.child.exitCode, null)
    })

    await t.test('it hangs for a while', async t => {
      plane.signalApiServer('SIGSTOP')
      await delay(4_000)
      plane.signalApiServer('SIGCONT')
      await patch('dittoserver', 'before', { spec: { metrics: { enabled: false } } })
      await awaitGone('service', 'before-metrics', 60_000)
      t.equal(operator.child.exitCode, null)
    })

    await t.test('deleted and edited objects are restored', async t => {
      await run(['delete', 'service', 'after-file'])
      await run(['delete', 'configmap', 'after-config'])
      await patch('statefulset', 'after', { spec: { template: { spec: { terminationGracePeriodSeconds: 30 } } } })
      await awaitObject('service', 'after-file', () => true, 'made again')
      await awaitObject('configmap', 'after-config', () => true, 'made again')
      await awaitObject('statefulset', 'after', ({ spec }) => JSON.stringify(spec).includes('"terminationGracePeriodSeconds":105'), 'as it was')
      t.ok(await get('dittoserver', 'after'))
    })

    await t.test('it stays down: a leader ends when it cannot renew its Lease', async t => {
      await plane.killApiServer()
      const started = performance.now()
      t.strictSame(await operator.exited, [1, null])
      const seconds = (performance.now() - started) / 1000
      t.ok(seconds < 14, `${seconds.toFixed(1)} s`)
      t.match(operator.said.at(-1), 'leadership is lost')
      await plane.startApiServer()
    })
  })

  await t.test('etcd is suspended for longer than a Lease lasts: the leader ends, and the next one continues', async t => {
    const operator = await startOperator(t, [...rights, '--no-webhook'])
    await operator.ready(60_000)
    await apply(serverOf('stalled'))
    await awaitObject('service', 'stalled-file', () => true, 'made', 60_000)
    plane.signalEtcd('SIGSTOP')
    const exited = await Promise.race([operator.exited, delay(30_000)])
    plane.signalEtcd('SIGCONT')
    t.strictSame(exited, [1, null])
    const next = await startOperator(t, [...rights, '--no-webhook'])
    await next.ready(60_000)
    await eventually(async () => await patch('dittoserver', 'stalled', { spec: { nfsPort: 3049 } }), 'the API server writes again', 60_000)
    await awaitObject('service', 'stalled-file', ({ spec }) => JSON.stringify(spec).includes('3049'), 'its port', 60_000)
    next.child.kill('SIGTERM')
    t.strictSame(await next.exited, [0, null])
  })

  await t.test('without leader election it waits, and is not ready', async t => {
    const operator = await startOperator(t, [...rights, '--no-webhook', '--no-leader-elect'])
    await operator.ready()
    await plane.killApiServer()
    const stale = await eventually(async () => {
      const { status, text } = await operator.get('/readyz')
      return status === 503 ? text : undefined
    }, 'not ready', 60_000)
    t.match(stale, /the watch on \w+ is stale/)
    t.equal((await operator.get('/livez')).status, 200)
    await plane.startApiServer()
    await operator.ready(60_000)
    await apply(serverOf('late'))
    await awaitObject('statefulset', 'late', () => true, 'made', 60_000)

    await t.test('the webhook is unavailable: existing objects are reconciled and can be deleted', async t => {
      await run(['create', '-f', '-'], saved)
      await t.rejects(apply(serverOf('refused')), /failed calling webhook/, 'validation fails closed')
      await run(['delete', 'service', 'late-file'])
      await awaitObject('service', 'late-file', () => true, 'made again')
      await run(['label', 'dittoserver', 'late', 'example.com/edited=yes'])
      await run(['delete', 'dittoserver', 'late', '--wait=false'])
      await awaitGone('dittoserver', 'late', 30_000)
      // The garbage collector watches again no later than a minute after an outage (client-go backs off to 30 s, with jitter).
      await awaitGone('statefulset', 'late', 90_000)
      t.ok(await get('pvc', 'metadata-late-0'), 'the volumes stay')
    })
  })
}
