import { X509Certificate } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { mergePatchRequest } from '../../src/cluster/api-requests.ts'
import { parseBundle } from '../../src/tls/self/ca-bundle.ts'
import { binariesOrSkip, eventually, freePort, startControlPlane } from '../control-plane/control-plane.ts'
import { presented } from '../tls/certificates.ts'
import { constantLoad } from './constant-load.ts'
import { dryRunCreate, installSelfSigned, manifests, secretPath, startReplica, told } from './self-signed.ts'

// No certificate is given, and the webhook configurations come after the operator.

const binaries = await binariesOrSkip(t)
if (binaries) {
  const plane = await startControlPlane(t, binaries, { crds: [`${manifests}crd.yaml`] })
  const port = await freePort()
  const installed = await installSelfSigned(plane, port)
  // Each review that is allowed is a line.
  const operator = await startReplica(t, plane, ['--log-level', 'debug'], port)
  const create = dryRunCreate(plane)
  const served = async () => (await presented(port, await installed.bundle('validating'), '')).fingerprint256
  const inSecret = async () => new X509Certificate((await installed.secret()).data['tls.crt'] ?? '').fingerprint256

  await t.test('not ready until the webhook configurations exist', async t => {
    await eventually(async () => (await operator.get('/readyz')).text.includes('"dittofs-operator" does not exist'), 'the reason')
    t.equal((await operator.get('/livez')).status, 200)
    await installed.create()
    await operator.ready()
    t.equal(await create(), undefined, 'the API server trusts the webhook')
    for (const webhook of ['mutate', 'validate']) {
      await eventually(async () => operator.lines.some(line => line.msg === 'reviewed' && line.webhook === webhook), `a review to ${webhook}`, 5_000)
    }
    const { data, metadata } = await installed.secret()
    t.strictSame(Object.keys(data).sort(), ['ca.crt', 'ca.key', 'tls.crt', 'tls.key'])
    t.equal((await plane.client.request<{ type: string }>({ verb: 'get', method: 'GET', path: secretPath })).type, 'kubernetes.io/tls')
    t.equal(metadata.labels?.['app.kubernetes.io/managed-by'], 'dittofs-operator')
    const { text } = await operator.get('/metrics')
    t.match(text, /^dittofs_operator_certificate_rotations_total\{part="ca"\} 1$/m)
    t.match(text, /^dittofs_operator_certificate_expiry_timestamp_seconds [\d.]+$/m)
  })

  await t.test('rotations under load', async t => {
    const load = constantLoad(4, create)
    const seen = new Set([await served()])
    for (const part of ['certificate', 'ca', 'certificate', 'authority', 'ca'] as const) {
      const before = await served()
      await installed.rotate(part)
      await eventually(async () => await inSecret() !== before && await served() === await inSecret(), `another ${part}`, 20_000)
      seen.add(await served())
    }
    t.equal(seen.size, 6)
    await eventually(async () => parseBundle(await installed.bundle('mutating')).length === 1, 'the overlap ends', 20_000)
    t.equal(await served(), await inSecret())
    await load.stop()
    t.strictSame(load.failures(), [], `of ${load.sent()} admissions`)
    t.ok(load.sent() > 50, `${load.sent()} admissions`)
  })

  await t.test('an overwritten bundle is restored', async t => {
    for (const kind of ['mutating', 'validating'] as const) {
      const { webhooks } = await installed.read(kind)
      const without = webhooks.map(({ clientConfig: { url }, ...rest }) => ({ ...rest, clientConfig: { url } }))
      await plane.client.request(mergePatchRequest(installed.path(kind), { webhooks: without }, 'gitops'))
      t.not((await installed.read(kind)).resourceVersion, '')
    }
    await eventually(async () => await create() === undefined, 'trusted again', 5_000)
    t.equal((await operator.get('/readyz')).status, 200)
  })

  await t.test('an impairment removes no endpoint, and is reported', async t => {
    const readyz = async () => await operator.get('/readyz')
    const metric = async (name: string, value: number) => (await operator.get('/metrics')).text.includes(`dittofs_operator_${name} ${value}\n`)
    const impairedBy = async (what: RegExp, reason: string) => {
      await eventually(async () => what.test((await readyz()).text), `impaired: ${what}`, 30_000)
      t.equal((await readyz()).status, 200, `ready all the same: ${what}`)
      t.ok(await metric(`impaired{reason="${reason}"}`, 1))
      await eventually(async () => operator.lines.some(({ msg, reasons }) => /^impaired/.test(msg ?? '') && what.test(String(reasons))), 'told, unless it has only just started', 45_000)
      const answered = () => operator.lines.filter(({ msg, webhook }) => msg === 'reviewed' && webhook === 'validate').length
      const before = answered()
      t.equal(await create(), undefined, 'writes go on')
      await eventually(async () => answered() > before, 'by its answer', 5_000)
    }
    const recovered = async () => await eventually(async () => (await readyz()).text === 'ok\n', 'as before', 30_000)

    await plane.client.request({ verb: 'delete', method: 'DELETE', path: installed.path('mutating') })
    await impairedBy(/MutatingWebhookConfiguration "dittofs-operator" does not exist/, 'MutatingWebhookNotTrusting')
    await installed.create('mutating')
    await recovered()
    t.ok(await metric('impaired{reason="MutatingWebhookNotTrusting"}', 0))

    const { webhooks } = await installed.read('mutating')
    const annotate = async (value: string | null) => await plane.client.request(mergePatchRequest(
      installed.path('mutating'), { metadata: { annotations: { 'cert-manager.io/inject-ca-from': value } } }, 'test',
    ))
    await annotate('dittofs-system/webhook')
    const foreign = Buffer.from((await installed.secret()).data['tls.crt'] ?? '').toString('base64')
    const changed = webhooks.map(webhook => ({ ...webhook, failurePolicy: 'Ignore', clientConfig: { ...webhook.clientConfig, caBundle: foreign } }))
    await plane.client.request(mergePatchRequest(installed.path('mutating'), { webhooks: changed }, 'cainjector'))
    await impairedBy(/MutatingWebhookConfiguration .* left to cert-manager/, 'MutatingWebhookNotTrusting')
    await annotate(null)
    await recovered()

    t.equal((await installed.read('validating')).webhooks.length, 1)
    t.ok(operator.lines.every(({ msg }, index) => msg !== 'not ready' || index < operator.lines.findIndex(line => line.msg === 'ready')), 'never not ready again')
  })

  await t.test('a damaged Secret is repaired under load', async t => {
    const load = constantLoad(2, create)
    const damage = async (data: Record<string, string | null>) => {
      const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, value === null ? '' : Buffer.from(value).toString('base64')]))
      const repairs = () => operator.lines.filter(({ msg }) => msg === 'the certificate Secret was damaged and is repaired').length
      const before = repairs()
      await plane.client.request(mergePatchRequest(secretPath, { data: encoded }, 'test'))
      await eventually(async () => repairs() > before, 'the repair is told', 10_000)
      await eventually(async () => await served() === await inSecret(), 'it is served', 10_000)
    }
    const { data } = await installed.secret()
    await damage({ 'tls.crt': 'not PEM at all' })
    await damage({ 'tls.key': data['ca.key'] ?? '' })
    await damage({ 'ca.key': null })
    await damage({ 'tls.crt': '', 'tls.key': '', 'ca.crt': 'x', 'ca.key': 'y' })
    const before = await inSecret()
    await plane.client.request({ verb: 'delete', method: 'DELETE', path: secretPath })
    await eventually(async () => await installed.secret().then(() => true, () => false), 'made again', 10_000)
    await eventually(async () => await inSecret() !== before && await served() === await inSecret(), 'with another CA', 10_000)
    await load.stop()
    t.strictSame(load.failures(), [], `of ${load.sent()} admissions`)
  })

  await t.test('replicas with different names agree on one certificate', async t => {
    const others = await Promise.all(['second.example', 'third.example'].map(async name => await startReplica(t, plane, ['--tls-san', name])))
    for (const other of others) await other.ready()
    const names = async () => new X509Certificate((await installed.secret()).data['tls.crt'] ?? '').subjectAltName ?? ''
    await eventually(async () => /second\.example.*third\.example|third\.example.*second\.example/.test(await names()), 'all names', 30_000)
    const renewals = () => [operator, ...others].flatMap(({ lines }) => lines).filter(({ msg, cause }) => msg === 'the certificate Secret was renewed' && /lacks/.test(String(cause))).length
    // The CA of the deleted Secret stays trusted for a while. The end of that overlap is a write of its own.
    await eventually(async () => parseBundle((await installed.secret()).data['ca.crt'] ?? '').length === 1, 'the overlap ends', 20_000)
    const { metadata: { resourceVersion } } = await installed.secret()
    await delay(10_000)
    t.equal((await installed.secret()).metadata.resourceVersion, resourceVersion, 'the Secret stays as it is')
    t.ok(renewals() <= 2, `${renewals()} certificates for two names`)
    t.equal(await create(), undefined)
    for (const other of others) other.child.kill('SIGTERM')
    for (const other of others) t.strictSame(await other.exited, [0, null])
  })

  await t.test('a bundle that cert-manager injects is not changed', async t => {
    const annotate = async (value: string | null) => await plane.client.request(mergePatchRequest(
      installed.path('validating'), { metadata: { annotations: { 'cert-manager.io/inject-ca-from': value } } }, 'test',
    ))
    await annotate('dittofs-system/webhook')
    const { webhooks } = await installed.read('validating')
    const other = Buffer.from((await installed.secret()).data['tls.crt'] ?? '').toString('base64')
    const changed = webhooks.map(webhook => ({ ...webhook, clientConfig: { ...webhook.clientConfig, caBundle: other } }))
    await plane.client.request(mergePatchRequest(installed.path('validating'), { webhooks: changed }, 'cainjector'))
    await told(operator, 'the CA bundle is not changed: an annotation leaves it to cert-manager')
    await eventually(async () => (await operator.get('/readyz')).text.includes('left to cert-manager'), 'not ready', 10_000)
    t.equal((await installed.read('validating')).webhooks[0]?.clientConfig.caBundle, other)
    await annotate(null)
    await operator.ready()
    t.equal(await create(), undefined)
  })
}
