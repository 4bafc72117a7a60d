import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { parseBundle } from '../../src/tls/self/ca-bundle.ts'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { constantLoad } from './constant-load.ts'
import { startReplicaSet } from './replica-set.ts'
import { directReviews, dryRunCreate, manifests } from './self-signed.ts'

// Two replicas behind a balancer that goes by readiness. bench/rollout does the same at length.

const drainSeconds = 2
const binaries = await binariesOrSkip(t)
if (binaries) {
  const plane = await startControlPlane(t, binaries, { crds: [`${manifests}crd.yaml`] })
  const replicas = await startReplicaSet(t, plane, ['--drain-period', String(drainSeconds)])
  const { balancer, installed } = replicas
  const create = dryRunCreate(plane)

  await t.test('two replicas that start at the same time agree on one certificate', async t => {
    const { text: first } = await replicas.all()[0]?.get('/metrics') ?? { text: '' }
    const { text: second } = await replicas.all()[1]?.get('/metrics') ?? { text: '' }
    const count = /^dittofs_operator_certificate_rotations_total\{part="ca"\} (\d+)$/m
    const made = [first, second].map(text => Number(count.exec(text)?.[1] ?? 0))
    t.equal(made.reduce((sum, count) => sum + count, 0), 1)
    t.equal(parseBundle(await installed.bundle('validating')).length, 1)
    t.equal(await create(), undefined)
  })

  await t.test('restarts and rotations under load do not fail an admission', async t => {
    const creates = constantLoad(3, create)
    const reviews = constantLoad(3, await directReviews(t, installed, balancer.port))
    let rotations = 0
    const rotating = (async () => {
      for (const part of ['certificate', 'ca', 'ca'] as const) {
        const before = (await installed.secret()).data['tls.crt']
        await installed.rotate(part)
        await eventually(async () => (await installed.secret()).data['tls.crt'] !== before, `another ${part}`, 30_000)
        rotations++
        await delay(1_000)
      }
    })()
    for (let restart = 0; restart < 3; restart++) {
      const { code, milliseconds } = await replicas.restartOne()
      t.equal(code, 0)
      t.ok(milliseconds >= drainSeconds * 1000 - 50 && milliseconds < drainSeconds * 1000 + 5_000, `${Math.round(milliseconds)} ms from signal to end`)
    }
    await rotating
    await creates.stop()
    await reviews.stop()
    t.equal(rotations, 3)
    t.strictSame(creates.failures(), [], `of ${creates.sent()} creates`)
    t.strictSame(reviews.failures(), [], `of ${reviews.sent()} reviews`)
    t.equal(balancer.refused(), 0)
    t.ok(creates.sent() > 50 && reviews.sent() > 50, `${creates.sent()} creates, ${reviews.sent()} reviews`)
    t.comment(`${creates.sent()} creates, ${reviews.sent()} reviews`)
  })

  await t.test('while it drains it is not ready, but answers; a second signal ends it', async t => {
    const [replica] = replicas.all()
    if (!replica) throw new Error('no replica')
    const review = await directReviews(t, installed, replica.port)
    replica.child.kill('SIGTERM')
    await eventually(async () => (await replica.get('/readyz')).text.includes('draining'), 'not ready', 1_000)
    t.equal((await replica.get('/livez')).status, 200)
    t.equal(await review(), undefined)
    replica.child.kill('SIGTERM')
    t.strictSame(await replica.exited, [1, null])
  })
}
