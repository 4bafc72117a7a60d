import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { mergePatchRequest } from '../../src/cluster/api-requests.ts'
import { parseBundle } from '../../src/tls/self/ca-bundle.ts'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { issue } from '../tls/certificates.ts'
import { writeFiles } from '../tls/source.ts'
import { constantLoad } from './constant-load.ts'
import { startReplicaSet } from './replica-set.ts'
import { directReviews, dryRunCreate, manifests, secretPath } from './self-signed.ts'

// From self-created certificates to those of another source and back, with the steps in docs/certificates.md.

const binaries = await binariesOrSkip(t)
if (binaries) {
  const plane = await startControlPlane(t, binaries, { crds: [`${manifests}crd.yaml`] })
  const folder = await mkdtemp(join(tmpdir(), 'certificate-modes-'))
  t.teardown(async () => { await rm(folder, { recursive: true }) })
  const files = await issue()
  writeFiles(folder, files)
  const ofYours = parseBundle(files['ca.crt'])[0]?.fingerprint256

  // An overlap longer than it takes to replace both, on a busy machine too.
  const self = ['--drain-period', '1', '--tls-times', 'settle=500,overlap=600000,pollInterval=2000']
  const yours = ['--drain-period', '1', '--cert-mode', 'files', '--tls-dir', folder]
  const replicas = await startReplicaSet(t, plane, self)
  const { balancer, installed } = replicas
  const trusts = async (fingerprint: string | undefined) => {
    for (const kind of ['mutating', 'validating'] as const) {
      if (!parseBundle(await installed.bundle(kind)).some(({ fingerprint256 }) => fingerprint256 === fingerprint)) return false
    }
    return true
  }
  const replaceBoth = async (args: readonly string[]) => {
    for (let left = replicas.all().length; left > 0; left--) await replicas.restartOne(args)
  }
  const creates = constantLoad(3, dryRunCreate(plane))
  const reviews = constantLoad(3, await directReviews(t, installed, balancer.port))

  await t.test('from self-created certificates to your own, and back, under load', async t => {
    const before = creates.sent()
    const data = { 'trust.crt': Buffer.from(files['ca.crt']).toString('base64') }
    await plane.client.request(mergePatchRequest(secretPath, { data }, 'test'))
    await eventually(async () => await trusts(ofYours), 'your CA is trusted beside its own', 10_000)
    await replaceBoth(yours)
    const caBundle = Buffer.from(files['ca.crt']).toString('base64')
    for (const kind of ['mutating', 'validating'] as const) {
      const { webhooks } = await installed.read(kind)
      const changed = webhooks.map(webhook => ({ ...webhook, clientConfig: { ...webhook.clientConfig, caBundle } }))
      await plane.client.request(mergePatchRequest(installed.path(kind), { webhooks: changed }, 'test'))
    }
    await plane.client.request({ verb: 'delete', method: 'DELETE', path: secretPath })
    t.equal(parseBundle(await installed.bundle('validating')).length, 1, 'yours alone is trusted')
    const halfway = creates.sent()

    await replaceBoth(self)
    const [own] = parseBundle((await installed.secret()).data['ca.crt'] ?? '')
    t.ok(await trusts(own?.fingerprint256), 'its own is trusted again')
    t.ok(await trusts(ofYours), 'and yours for a while, as a pod of the old mode may still answer')
    await creates.stop()
    await reviews.stop()
    t.ok(halfway - before > 20 && creates.sent() - halfway > 20, `${halfway - before} creates on the way there, ${creates.sent() - halfway} back`)
    t.strictSame(creates.failures(), [], `of ${creates.sent()} creates`)
    t.strictSame(reviews.failures(), [], `of ${reviews.sent()} reviews`)
    t.equal(balancer.refused(), 0)
    t.comment(`${creates.sent()} creates, ${reviews.sent()} reviews`)
  })
}
