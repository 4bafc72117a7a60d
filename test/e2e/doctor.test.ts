import { fileURLToPath } from 'node:url'
import t from 'tap'
import { run as runProgram } from '../command-line/program.ts'
import { binariesOrSkip, startControlPlane } from '../control-plane/control-plane.ts'
import { asServiceAccount } from './installation.ts'
import { kubectlUser } from './kubectl-user.ts'
import { startOperator } from './operator.ts'

// What `doctor` says of installations that lack one thing after the other.

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const binaries = await binariesOrSkip(t)
if (binaries) {
  const plane = await startControlPlane(t, binaries, { webhooks: [file('../../manifests/webhooks.yaml')] })
  const { run, patch } = kubectlUser(plane)
  const { webhook } = plane
  if (!webhook) throw new Error('no webhook')

  /** Lines by step, the fix with them. */
  const look = async (...args: string[]) => {
    const { code, stdout, stderr } = await runProgram(['doctor', '--kubeconfig', plane.kubeconfig, ...args])
    const steps = stdout.split(/^(?=[✓✗?] )/m)
    return { code, stdout, stderr, step: (title: string) => steps.find(text => text.slice(2).startsWith(title)) ?? '' }
  }

  await t.test('an empty cluster', async t => {
    const { code, stdout, step } = await look()
    t.equal(code, 1)
    t.match(step('API server'), /^✓ .*Kubernetes v1\.\d+/)
    t.match(step('CustomResourceDefinition'), /^✗ .*is not installed\n {2}→ kubectl apply --server-side -f manifests\/crd\.yaml/)
    t.match(step('Deployment'), /^✗ .*there is no Deployment dittofs-system\/dittofs-operator/)
    t.match(step('Permissions'), /^\? /, 'what is not known is not called wrong')
    t.match(stdout, /\n\d things are wrong\.\n$/)
  })

  await t.test('installed, but no process runs', async t => {
    await run(['apply', '--server-side', '-f', file('../../manifests/crd.yaml')])
    await run(['create', 'namespace', 'dittofs-system'])
    const args = await asServiceAccount(plane)
    await run(['apply', '-f', file('../../manifests/default/deployment.yaml')])
    const { code, step } = await look()
    t.equal(code, 1)
    t.match(step('CustomResourceDefinition'), /^✓/)
    t.match(step('Deployment'), /^✗ .*none of 2 replicas is ready\n {2}→ kubectl -n dittofs-system logs/)
    t.match(step('Permissions'), /^✓ .*all \d+ that are needed/)
    t.match(step('Leader'), /^✗ .*no replica reconciles/)
    t.match(step('Admission'), /^✗ .*a dry run was refused: .*failed calling webhook/)

    await t.test('with a process', async t => {
      const operator = await startOperator(t, [...args, '--tls-dir', webhook.certDir, '--port', String(webhook.port)])
      await operator.ready()
      const { step } = await look()
      t.match(step('Leader'), /^✓ .*reconciles/)
      t.match(step('Webhook configuration'), /^✓ .*points to https:/)
      t.match(step('Admission'), /^✓ .*went through the webhook/)
    })
  })

  await t.test('a right is taken away', async t => {
    await run(['delete', 'clusterrole', 'dittofs-operator-storage-classes'])
    t.match((await look()).step('Permissions'), /^✗ .*lacking: get storageclasses\.storage\.k8s\.io, list storageclasses/)
  })

  await t.test('the CustomResourceDefinition is of another version', async t => {
    await patch('crd', 'dittoservers.dittofs.dittofs.com', { spec: { names: { shortNames: ['old'] } } })
    t.match((await look()).step('CustomResourceDefinition'), /^✗ .*that of another version/)
  })

  await t.test('the webhook is not asked at all', async t => {
    await run(['delete', 'validatingwebhookconfiguration', '--all'])
    const { step } = await look()
    t.match(step('Webhook configuration'), /^✗ .*there is no ValidatingWebhookConfiguration/)
    t.match(step('Admission'), /^✗ .*did not go through the webhook/)
  })

  await t.test('the API server does not answer', async t => {
    await plane.killApiServer()
    const { stdout } = await look()
    t.match(stdout, /^\? API server .*the API server is away/)
  })

  await t.test('wrong usage', async t => {
    t.match(await runProgram(['doctor']), { code: 2 })
    t.match(await runProgram(['doctor', '--kubeconfig', '/does/not/exist']), { code: 2, stderr: /kubeconfig/ })
  })
}
