import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generate } from 'selfsigned'
import t from 'tap'
import type { Status } from '../../src/doctor/examination.ts'
import { version } from '../../src/version.ts'
import { run as runProgram } from '../command-line/program.ts'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { asServiceAccount, grantRights, manifestFolder } from './installation.ts'
import { kubectlUser, serverOf } from './kubectl-user.ts'
import { startOperator } from './operator.ts'

// The findings of `doctor` for healthy installations, and for one fault after the other.

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const namespace = 'dittofs-system'
t.setTimeout(600_000)
const binaries = await binariesOrSkip(t)
if (binaries) {
  const plane = await startControlPlane(t, binaries, { webhooks: [file('../../manifests/webhooks.yaml')] })
  // All in one test: with several tests, tap would take the end of the first one for the end of the file during an await.
  await t.test('installations', async t => {
    const { run, patch, apply, awaitCondition } = kubectlUser(plane)
    const { webhook } = plane
    if (!webhook) throw new Error('no webhook')

    interface Step { readonly title: string, readonly status: Status, readonly detail: string, readonly fix?: string }

    const look = async (kubeconfig = plane.kubeconfig) => {
      const { code, stdout } = await runProgram(['doctor', '--kubeconfig', kubeconfig, '-o', 'json'])
      const { steps } = JSON.parse(stdout) as { readonly steps: readonly Step[] }
      return { code, steps, step: (title: string) => steps.find(step => step.title === title), accused: steps.filter(({ status }) => status === 'wrong' || status === 'warning') }
    }
    /** In namespace of the operator. */
    const inPlace = async (args: readonly string[], input?: string) => await run(['-n', namespace, ...args], input)
    const merge = async (kind: string, name: string, change: object, ...more: string[]) =>
      await inPlace(['patch', kind, name, '--type=merge', '-p', JSON.stringify(change), ...more])

    await t.test('an empty cluster', async t => {
      const { code, step } = await look()
      t.equal(code, 1)
      t.match(step('API server'), { status: 'ok', detail: /^Kubernetes v1\.\d+/ })
      t.match(step('CustomResourceDefinition'), { status: 'wrong', detail: /is not installed/, fix: 'kubectl apply --server-side -f manifests/crd.yaml' })
      t.match(step('Deployment'), { status: 'wrong', detail: 'there is no Deployment dittofs-system/dittofs-operator', fix: /docs\/install\.md.* -n/ })
      for (const title of ['Permissions', 'Version', 'Leader', 'Certificate']) t.match(step(title), { status: 'unknown' }, 'what is not known is not called wrong')
      const { code: again, stdout } = await runProgram(['doctor', '--kubeconfig', plane.kubeconfig])
      t.equal(again, 1)
      t.match(stdout, /^✗ CustomResourceDefinition +\S.*is not installed\n {2}→ kubectl apply/m)
      t.match(stdout, /\n\d things are wrong, \d things could not be checked\.\n$/)
    })

    let args: string[] = []
    await t.test('installed, but no process runs', async t => {
      await run(['apply', '--server-side', '-f', file('../../manifests/crd.yaml')])
      await run(['create', 'namespace', namespace])
      args = await asServiceAccount(plane)
      await run(['apply', '-f', `${manifestFolder('default')}/deployment.yaml`])
      const { code, step } = await look()
      t.equal(code, 1)
      t.match(step('CustomResourceDefinition'), { status: 'ok' })
      t.match(step('Deployment'), { status: 'wrong', detail: 'none of 2 replicas is ready', fix: /kubectl -n dittofs-system describe pods/ })
      t.match(step('Version'), { status: 'ok', detail: `${version}, the version of this command` })
      t.match(step('Permissions'), { status: 'ok', detail: /all \d+ that are needed/ })
      t.match(step('Leader'), { status: 'wrong', detail: 'no replica reconciles' })
      t.match(step('Admission'), { status: 'wrong', detail: /a dry run was refused: .*failed calling webhook/ })
    })

    /** As kubelet and the controllers would report it. */
    const pod = (name: string, status: object) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels: { 'app.kubernetes.io/name': 'dittofs-operator' } },
      spec: {
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [{ name: 'operator', image: 'x', securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } }],
      },
      status,
    })
    const podIs = async (name: string, status: object) => {
      await inPlace(['apply', '-f', '-'], JSON.stringify(pod(name, status)))
      await merge('pod', name, { status }, '--subresource=status')
    }
    const ready = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }], containerStatuses: null }
    const operator = await startOperator(t, [...args, '--tls-dir', webhook.certDir, '--port', String(webhook.port)])
    await operator.ready()
    const certificate = async (name: string) => {
      const pem = async (part: string) => (await readFile(join(webhook.certDir, part))).toString('base64')
      await inPlace(['apply', '-f', '-'], JSON.stringify({
        apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: { name, namespace }, data: { 'tls.crt': await pem('tls.crt'), 'tls.key': await pem('tls.key') },
      }))
    }
    const isHealthy = async (what: string) => {
      const { code, accused, steps } = await look()
      t.strictSame(accused, [], `${what}: no finding`)
      t.strictSame(steps.filter(({ status }) => status === 'unknown'), [], `${what}: all was looked at`)
      t.equal(code, 0, what)
    }

    await t.test('healthy, for every kind of installation', async () => {
      await certificate('dittofs-operator-tls')
      await merge('deployment', 'dittofs-operator', { status: { replicas: 2, readyReplicas: 2, availableReplicas: 2, updatedReplicas: 2 } }, '--subresource=status')
      for (const name of ['a', 'b']) await podIs(name, ready)
      await eventually(async () => (await look()).step('Leader')?.status === 'ok', 'it leads', 30_000)
      await isHealthy('kustomize, default')

      await certificate('dittofs-operator-files')
      const { spec } = JSON.parse(await inPlace(['get', 'deployment', 'dittofs-operator', '-o', 'json'])) as { spec: { template: { spec: { containers: [{ args: string[] }] } } } }
      const [{ args: before }] = spec.template.spec.containers
      const withArgs = async (change: (args: string[]) => string[], volume?: object) => {
        const path = '/spec/template/spec/containers/0/args'
        const operations = [{ op: 'replace', path, value: change(before) }, ...volume ? [{ op: 'add', path: '/spec/template/spec/volumes/-', value: volume }] : []]
        await inPlace(['patch', 'deployment', 'dittofs-operator', '--type=json', '-p', JSON.stringify(operations)])
      }
      const files = (args: string[]) => [...args.filter(arg => !arg.startsWith('--cert-mode')), '--cert-mode=files']
      await withArgs(files, { name: 'tls', secret: { secretName: 'dittofs-operator-files' } })
      await inPlace(['delete', 'secret', 'dittofs-operator-tls'])
      await run(['delete', 'clusterrolebinding,clusterrole', 'dittofs-operator-certificate'])
      await inPlace(['delete', 'rolebinding,role', 'dittofs-operator-certificate'])
      await isHealthy('files')
      await withArgs(args => [...files(args), '--no-controller'])
      await isHealthy('without the controller')
      await withArgs(args => args)
      await grantRights(plane)
      await certificate('dittofs-operator-tls')
      await isHealthy('default again')
    })

    await t.test('a user without permissions: no false errors, and nothing counts as checked', async t => {
      await run(['create', 'serviceaccount', 'nobody'])
      const token = (await run(['create', 'token', 'nobody'])).trim()
      const path = join(plane.folder, 'nobody.kubeconfig')
      await writeFile(path, JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'c', cluster: { server: plane.server, 'certificate-authority': join(plane.folder, 'certs', 'ca.crt') } }],
        users: [{ name: 'u', user: { token } }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'x',
      }))
      const { code, accused, steps } = await look(path)
      t.strictSame(accused, [])
      t.equal(code, 3)
      t.ok(steps.filter(({ status }) => status === 'unknown').length > 8)
      t.match((await runProgram(['doctor', '--kubeconfig', path])).stdout, /\n\d+ things could not be checked\.\n$/)
    })

    /** A fault, the expected finding, and how to undo the fault. */
    const isFound = async (what: string, title: string, expected: object, fault: () => Promise<unknown>, end: () => Promise<unknown>) => {
      await t.test(what, async t => {
        await fault()
        const { step, accused } = await look()
        t.match(step(title), expected)
        t.strictSame(accused.map(found => found.title), [title], 'no other finding')
        await end()
      })
    }
    const configuration = async (kind: 'mutating' | 'validating') => {
      const saved = JSON.parse(await run(['get', `${kind}webhookconfiguration`, 'dittofs-operator', '-o', 'json'])) as { metadata: { resourceVersion?: string, uid?: string }, webhooks: [Record<string, unknown>] }
      delete saved.metadata.resourceVersion
      delete saved.metadata.uid
      return {
        with: async (change: (webhook: Record<string, unknown>) => object) => await run(['replace', '-f', '-'], JSON.stringify({ ...saved, webhooks: [{ ...saved.webhooks[0], ...change(saved.webhooks[0]) }] })),
        remove: async () => await run(['delete', `${kind}webhookconfiguration`, 'dittofs-operator']),
        restore: async () => await run(['apply', '--server-side', '--force-conflicts', '--field-manager=test', '-f', '-'], JSON.stringify({ ...saved, metadata: { name: 'dittofs-operator' } })),
      }
    }
    const [mutating, validating] = [await configuration('mutating'), await configuration('validating')]
    const rules = (operations: string[]) => ({ rules: [{ apiGroups: ['dittofs.dittofs.com'], apiVersions: ['v1alpha1'], operations, resources: ['dittoservers'], scope: 'Namespaced' }] })
    const stranger = Buffer.from((await generate([{ name: 'commonName', value: 'stranger' }])).cert).toString('base64')
    const kustomize = /^kubectl apply --server-side -k manifests\/default, or the overlay/

    await isFound('the mutating configuration is absent', 'Mutating webhook', { status: 'warning', detail: /^there is no MutatingWebhookConfiguration .*no defaults/, fix: kustomize }, mutating.remove, mutating.restore)
    await isFound('its operations are narrowed', 'Validating webhook', { status: 'wrong', detail: /^rules is .*CREATE.*should be .*UPDATE/, fix: kustomize },
      async () => await validating.with(() => rules(['CREATE'])), async () => await validating.with(() => ({})))
    await isFound('DittoServers are stored unchecked', 'Validating webhook', { status: 'warning', detail: /^failurePolicy is Ignore: while no replica answers, DittoServers are stored unchecked/ },
      async () => await validating.with(() => ({ failurePolicy: 'Ignore' })), async () => await validating.with(() => ({})))
    await isFound('too short a time', 'Mutating webhook', { status: 'warning', detail: /^timeoutSeconds is 1/ },
      async () => await mutating.with(() => ({ timeoutSeconds: 1 })), async () => await mutating.with(() => ({})))
    await isFound('the mutating configuration trusts somebody else', 'Certificate', { status: 'warning', detail: /caBundle of the mutating configuration: no defaults/ },
      async () => await mutating.with(({ clientConfig }) => ({ clientConfig: { ...clientConfig as object, caBundle: stranger } })),
      async () => await mutating.with(() => ({})))

    await isFound('a pod that cannot be started', 'Pods', { status: 'wrong', detail: /^b: ErrImagePull: no such image/, fix: /describe pods/ },
      async () => await podIs('b', { phase: 'Pending', conditions: null, containerStatuses: [{ name: 'operator', image: 'x', imageID: '', ready: false, restartCount: 0, state: { waiting: { reason: 'ErrImagePull', message: 'no such image' } } }] }),
      async () => await podIs('b', ready))
    await isFound('a pod that crashes', 'Pods', { status: 'wrong', detail: 'b: CrashLoopBackOff: ended with exit code 137 (OOMKilled)' },
      async () => await podIs('b', {
        phase: 'Running',
        conditions: null,
        containerStatuses: [{ name: 'operator', image: 'x', imageID: '', ready: false, restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } }, lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } } }],
      }), async () => await podIs('b', ready))
    await isFound('a pod that no node takes', 'Pods', { status: 'wrong', detail: 'b: Unschedulable: 0/1 nodes are available' },
      async () => await podIs('b', { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes are available' }], containerStatuses: null }),
      async () => await podIs('b', ready))

    const image = async (value: string) => await inPlace(['set', 'image', 'deployment/dittofs-operator', `operator=${value}`])
    const { image: installedImage } = (JSON.parse(await inPlace(['get', 'deployment', 'dittofs-operator', '-o', 'json'])) as { spec: { template: { spec: { containers: [{ image: string }] } } } }).spec.template.spec.containers[0]
    await isFound('another version', 'Version', { status: 'warning', detail: /^version 0\.0\.9 is installed, and this command has version/ },
      async () => await image('example.com/dittofs-operator:v0.0.9'), async () => await image(installedImage))

    const second = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'old', namespace: 'default' },
      spec: { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'm', image: 'marmos91c/dittofs-operator:v0.4.0' }] } } },
    }
    await isFound('another operator', 'Other operators', { status: 'wrong', detail: /^default\/old may manage the same DittoServers/, fix: /docs\/migrate\.md/ },
      async () => await apply(second), async () => await run(['delete', 'deployment', 'old']))

    const deny = (policyTypes: readonly string[]) => ({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'deny', namespace }, spec: { podSelector: {}, policyTypes } })
    for (const [type, detail] of [['Ingress', /^suspected, ingress: deny allow no traffic from outside the namespace to port 9443/], ['Egress', /^suspected, egress: deny allow no traffic to the API server/]] as const) {
      await isFound(`a policy that denies ${type}`, 'NetworkPolicy', { status: 'warning', detail, fix: /^kubectl -n dittofs-system describe networkpolicies: the traffic is blocked if the step Admission fails/ },
        async () => await apply(deny([type])), async () => await inPlace(['delete', 'networkpolicy', 'deny']))
    }

    await t.test('a webhook for some namespaces only', async t => {
      const select = async (value: object) => await run(['patch', 'validatingwebhookconfiguration', 'dittofs-operator', '--type=json', '-p',
        JSON.stringify([{ op: 'add', path: '/webhooks/0/namespaceSelector', value }])])
      await select({ matchLabels: { 'example.com/team': 'storage' } })
      t.match((await look()).step('Admission'), { status: 'unknown', detail: /^no namespace matches the namespaceSelector/ })
      await run(['label', 'namespace', 'default', 'example.com/team=storage'])
      t.match((await look()).step('Admission'), { status: 'ok' }, 'a dry run in a namespace that it selects')
      await run(['label', 'namespace', 'default', 'example.com/team-'])
      await run(['label', 'namespace', namespace, 'example.com/team=operators'])
      await select({ matchExpressions: [{ key: 'example.com/team', operator: 'DoesNotExist' }] })
      t.match((await look()).step('Admission'), { status: 'ok' }, 'a selector that excludes only the namespace of the operator')
      await run(['label', 'namespace', namespace, 'example.com/team-'])
      await select({})
    })

    const perconaCrd = file('percona-crd.yaml')
    const perconaOperator = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'postgres', namespace: 'default' },
      spec: { selector: { matchLabels: { p: 'g' } }, template: { metadata: { labels: { p: 'g' } }, spec: { containers: [{ name: 'm', image: 'mirror.example.com/percona-postgresql-operator:2.9.0' }] } } },
    }
    const versionLabel = async (value: string) => await run(['label', 'crd', 'perconapgclusters.pgv2.percona.com', `pgv2.percona.com/version=${value}`, '--overwrite'])
    await t.test('PostgreSQL by Percona', async t => {
      await run(['create', '-f', perconaCrd])
      await run(['wait', '--for=condition=Established', 'crd/perconapgclusters.pgv2.percona.com', '--timeout=30s'])
      await apply(serverOf('percona', { percona: { enabled: true } }))
      const operatorIs = async (status: object) => await run(['patch', 'deployment', 'postgres', '--type=merge', '--subresource=status', '-p', JSON.stringify({ status })])
      const says = async (expected: object) => { t.match((await look()).step('Percona operator'), expected) }
      await says({ status: 'warning', detail: /^default\/percona needs PostgreSQL by Percona; its CRD is there, but no Deployment of it was found/ })
      await apply(perconaOperator)
      await says({ status: 'wrong', detail: /no replica of its operator is ready/, fix: 'kubectl -n default describe deployment postgres' })
      await operatorIs({ replicas: 1, readyReplicas: 1, availableReplicas: 1 })
      await isHealthy('with a Percona operator that is known')
      await versionLabel('v2.7.0')
      await says({ status: 'warning', detail: /^version 2\.7\.0 is older than all that are known/ })
      await versionLabel('v4.0.0')
      await says({ status: 'warning', detail: /^version 4\.0\.0 is newer than all that are known/ })
      await run(['delete', 'deployment', 'postgres'])
      await run(['delete', '-f', perconaCrd])
      await says({ status: 'wrong', detail: 'default/percona needs PostgreSQL by Percona, and its operator is not installed', fix: 'install it: docs/postgresql.md' })
      await run(['delete', 'dittoserver', 'percona', '--timeout=60s'])
    })

    await isFound('a server that is stalled', 'DittoServers', { status: 'warning', detail: /^default\/clash is stalled: PortConflict/, fix: /^dittofs-operator status --all-namespaces/ },
      async () => {
        await apply(serverOf('clash', { smb: { enabled: true, port: 12049 } }))
        await awaitCondition('clash', 'Stalled', 'True', 'PortConflict')
      }, async () => await run(['delete', 'dittoserver', 'clash']))

    await isFound('installed by Helm, the remedy is Helm\'s', 'Mutating webhook', { fix: 'helm upgrade storage manifests/chart -n dittofs-system --reset-then-reuse-values' }, async () => {
      await merge('deployment', 'dittofs-operator', { metadata: { annotations: { 'meta.helm.sh/release-name': 'storage', 'meta.helm.sh/release-namespace': namespace } } })
      await mutating.remove()
    }, async () => {
      await merge('deployment', 'dittofs-operator', { metadata: { annotations: null } })
      await mutating.restore()
    })

    await t.test('after narrowing to one namespace, the permissions in all namespaces are still there', async t => {
      const at = '/spec/template/spec/containers/0/args/-'
      await inPlace(['patch', 'deployment', 'dittofs-operator', '--type=json', '-p', JSON.stringify([{ op: 'add', path: at, value: '--watch-namespace=default' }])])
      t.match((await look()).step('Permissions'), { status: 'warning', detail: /^more than is needed: list secrets in all namespaces/, fix: /^kubectl delete clusterrolebinding,clusterrole dittofs-operator \(/ })
      await run(['apply', '-f', `${manifestFolder('default')}/deployment.yaml`])
    })

    await t.test('a permission is missing', async t => {
      await run(['delete', 'clusterrole', 'dittofs-operator-storage-classes'])
      t.match((await look()).step('Permissions'), { status: 'wrong', detail: /^missing: get storageclasses\.storage\.k8s\.io, list storageclasses/, fix: kustomize })
    })

    await t.test('the CRD is from another version', async t => {
      await patch('crd', 'dittoservers.dittofs.dittofs.com', { spec: { names: { shortNames: ['old'] } } })
      t.match((await look()).step('CustomResourceDefinition'), { status: 'wrong', detail: /that of another version/ })
    })

    await t.test('the webhook is never called', async t => {
      await run(['delete', 'validatingwebhookconfiguration', '--all'])
      const { step } = await look()
      t.match(step('Validating webhook'), { status: 'wrong', detail: /^there is no ValidatingWebhookConfiguration/ })
      t.match(step('Admission'), { status: 'wrong', detail: /did not go through the webhook/ })
    })

    await t.test('the API server does not answer', async t => {
      await plane.killApiServer()
      const { code, step, accused } = await look()
      t.match(step('API server'), { status: 'unknown', detail: /the API server is unreachable/ })
      t.strictSame(accused, [])
      t.equal(code, 3)
    })

    await t.test('wrong usage', async t => {
      t.match(await runProgram(['doctor', '--kubeconfig', '/does/not/exist']), { code: 2, stderr: /kubeconfig/ })
      t.match(await runProgram(['doctor', '-o', 'yaml']), { code: 2 })
    })
  })
}
