import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { deployment } from '../../src/manifests/install/deployment.ts'
import { defaultInstallation } from '../../src/manifests/install/installation.ts'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { grantRights, serviceAccount, serviceAccountFlags, serviceAccountUser } from './installation.ts'
import { kubectlUser, serverOf, type Found } from './kubectl-user.ts'
import { startOperator } from './operator.ts'

// Two replicas and one Lease, with the default settings.

const crd = fileURLToPath(new URL('../../manifests/crd.yaml', import.meta.url))
const binaries = await binariesOrSkip(t)
if (binaries) {
  const plane = await startControlPlane(t, binaries, { crds: [crd], audit: true })
  const { apply, awaitObject } = kubectlUser(plane)
  const inOwn = kubectlUser({ kubectl: async (args, input) => await plane.kubectl(['-n', serviceAccount.namespace, ...args], input) })
  await grantRights(plane)
  // Each process has the token of its own pod, whose name is in the audit log.
  const replica = async (name: string) => {
    const { spec } = deployment(defaultInstallation).spec.template
    await inOwn.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec })
    const operator = await startOperator(t, [...await serviceAccountFlags(plane, name), '--no-webhook'])
    const says = async (msg: string) => await eventually(async () => operator.lines.some(line => line.msg === msg), `${name}: ${msg}`, 30_000)
    await operator.ready()
    return { ...operator, name, says, leads: async () => / 1$/m.test((/^leader_election_master_status.*$/m.exec((await operator.get('/metrics')).text) ?? [''])[0]) }
  }
  const holder = async () => (await inOwn.get<Found>('lease', 'dittofs-operator'))?.spec.holderIdentity
  /** Seconds until a new server has its StatefulSet. */
  const secondsToWork = async (name: string) => {
    const started = performance.now()
    await apply(serverOf(name))
    await awaitObject('statefulset', name, () => true, 'made', 60_000)
    return (performance.now() - started) / 1000
  }
  const writesOf = async (name: string) => (await plane.audit())
    .filter(({ user: { username, extra }, objectRef }) =>
      username === serviceAccountUser && extra?.['authentication.kubernetes.io/pod-name']?.[0] === name &&
      objectRef?.resource !== 'leases' && objectRef?.resource !== 'events')

  await t.test('replicas', async t => {
    const a = await replica('replica-a')
    await a.says('this process is the leader')
    const b = await replica('replica-b')
    await b.says('another process is the leader')

    await t.test('one is the leader, both are ready', async t => {
      t.ok(await secondsToWork('first') < 10)
      t.strictSame([await a.leads(), await b.leads()], [true, false])
      t.strictSame(await writesOf('replica-b'), [])
    })

    await t.test('the leader is killed: the other takes over within 20 s', async t => {
      a.child.kill('SIGKILL')
      await a.exited
      const seconds = await secondsToWork('second')
      t.ok(seconds <= 20, `${seconds.toFixed(1)} s`)
      t.equal(await b.leads(), true)
    })

    const c = await replica('replica-c')
    await t.test('the leader is stopped: it releases the Lease', async t => {
      await c.says('another process is the leader')
      b.child.kill('SIGTERM')
      t.strictSame(await b.exited, [0, null])
      const seconds = await secondsToWork('third')
      t.ok(seconds <= 5, `${seconds.toFixed(1)} s`)
      t.equal(await c.leads(), true)
    })

    const d = await replica('replica-d')
    await t.test('a suspended leader ends when it resumes, and writes nothing before', async t => {
      await d.says('another process is the leader')
      c.child.kill('SIGSTOP')
      // Work for both: it waits in the sockets of the one, and is done by the other.
      await secondsToWork('fourth')
      t.match(await holder(), /./)
      t.equal(await d.leads(), true)
      const [before, since] = [await writesOf('replica-c'), Date.now()]
      t.ok(before.length > 0, 'the audit log knows its writes')
      c.child.kill('SIGCONT')
      t.strictSame(await c.exited, [1, null])
      t.match(c.said.at(-1), 'leadership is lost')
      await delay(500)
      t.strictSame((await writesOf('replica-c')).slice(before.length), [], `${before.length} writes before, none after`)
      t.ok(Date.now() - since < 10_000)
      t.equal(d.child.exitCode, null)
    })
  })
}
