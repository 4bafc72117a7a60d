import { mkdir, rename, writeFile } from 'node:fs/promises'
import { realpathSync } from 'node:fs'
import { join, relative } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { job } from '../../src/manifests/install/alerts.ts'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import {
  argumentsOf, documents, endpointSlice, freePortOf, manifestFolder, ownAddress, serviceAccount, serviceAccountKubeconfig,
} from './installation.ts'
import { kubectlUser, serverOf } from './kubectl-user.ts'
import { startOperator } from './operator.ts'
import { pretendCertManager } from './pretend-cert-manager.ts'

// The overlays whose kinds belong to others, with definitions that know the fields which the manifests use and no more. The
// test does the work of cert-manager, as far as the operator sees any of it.

interface Versioned { readonly kind: string, readonly metadata: { readonly name: string, readonly resourceVersion: string } }
interface PodSpec {
  readonly volumes: readonly { readonly name: string, readonly secret?: { readonly secretName: string } }[]
  readonly containers: readonly [{ readonly volumeMounts: readonly { readonly name: string, readonly mountPath: string }[] }]
}
interface Deployment { readonly spec: { readonly template: { readonly spec: PodSpec } } }
interface Monitored {
  readonly metadata: { readonly name: string, readonly labels?: Readonly<Record<string, string>> }
  readonly spec: { readonly ports?: readonly { readonly name: string }[] }
}
interface ServiceMonitor {
  readonly spec: {
    readonly endpoints: readonly { readonly port: string, readonly path: string }[]
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> }
  }
}

const { namespace } = serviceAccount
const strictly = ['apply', '--validate=strict']

t.test('overlays with kinds of other projects', async t => {
  const binaries = await binariesOrSkip(t)
  if (!binaries) return
  const address = ownAddress()
  if (address === undefined) return t.comment('no network but loopback, which an endpoint may not have')
  const plane = await startControlPlane(t, binaries, { apiServerFlags: { 'enable-aggregator-routing': 'true' } })
  const { run, apply } = kubectlUser(plane)
  const listed = async <Value>(kind: string, ...where: string[]) =>
    (JSON.parse(await run(['get', kind, ...where, '-o', 'json'])) as { items: Value[] }).items
  for (const crds of ['cert-manager-crds.yaml', 'monitoring-crds.yaml']) await run(['create', '-f', manifestFolder(`../test/e2e/${crds}`)])
  await run(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'])
  const folder = manifestFolder('overlays/cert-manager')

  await t.test('cert-manager: every field is known, and a second apply changes nothing', async t => {
    const applied = async () => {
      await run([...strictly, '--server-side', '-k', folder])
      return [...await listed<Versioned>('issuers,certificates', '-n', namespace), ...await listed<Versioned>('deployments', '-n', namespace)]
        .map(({ kind, metadata: { name, resourceVersion } }) => `${kind}/${name} ${resourceVersion}`)
    }
    const first = await applied()
    t.strictSame(first.map(line => line.split(' ')[0]).toSorted(), [
      'Certificate/dittofs-operator-ca', 'Certificate/dittofs-operator-webhook', 'Deployment/dittofs-operator',
      'Issuer/dittofs-operator-ca', 'Issuer/dittofs-operator-self-signed',
    ])
    t.strictSame(await applied(), first)
    const unknown = { apiVersion: 'cert-manager.io/v1', kind: 'Issuer', metadata: { name: 'unknown' }, spec: { selfSigned: {}, selfSigner: {} } }
    const { code, stderr } = await plane.kubectl([...strictly, '-f', '-'], JSON.stringify(unknown))
    t.match({ code, stderr }, { code: 1, stderr: /unknown field "spec.selfSigner"/ }, 'a field that is not known would be refused')
  })

  const playCertManager = async () => { await pretendCertManager({ run, apply }) }

  const objects = documents(await run(['kustomize', folder]))
  const mounted = t.testdir({})
  /** As the kubelet mounts the Secret that the Deployment names where `--tls-dir` looks. */
  const mount = async () => {
    const { volumes, containers: [{ volumeMounts }] } = (objects.find(({ kind }) => kind === 'Deployment') as unknown as Deployment).spec.template.spec
    const path = argumentsOf(objects).find(argument => argument.startsWith('--tls-dir='))?.replace('--tls-dir=', '')
    const volume = volumeMounts.find(({ mountPath }) => mountPath === path)?.name
    const secret = volumes.find(({ name }) => name === volume)?.secret?.secretName ?? ''
    const { data } = JSON.parse(await run(['get', 'secret', secret, '-n', namespace, '-o', 'json'])) as { data: Record<string, string> }
    await mkdir(join(mounted, 'tls'), { recursive: true })
    for (const [key, value] of Object.entries(data)) {
      await writeFile(join(mounted, key), Buffer.from(value, 'base64'))
      await rename(join(mounted, key), join(mounted, 'tls', key))
    }
  }

  await playCertManager()
  await mount()
  const port = await freePortOf(address)
  await apply(endpointSlice(address, port))
  const args = argumentsOf(objects).filter(argument => !/^(serve|--(port|health-port|tls-dir)=.*)$/.test(argument))
  const operator = await startOperator(t, [
    '--kubeconfig', await serviceAccountKubeconfig(plane), ...args,
    '--tls-dir', join(mounted, 'tls'), '--host', '0.0.0.0', '--port', String(port),
  ])
  await operator.ready()

  const judged = async (name: string) => {
    const server = serverOf(name, { storage: { metadataSize: '10Gi', storageClassName: 'none' } })
    const { code, stderr } = await plane.kubectl(['apply', '-f', '-'], JSON.stringify(server))
    return code === 1 && stderr.includes('[SC-MISSING]') ? 'by the webhook' : stderr
  }

  /** Waits until the API server knows the CA that it must trust. */
  const soonJudged = async () => {
    let last = ''
    await eventually(async () => (last = await judged('denied')) === 'by the webhook', 'the webhook answers').catch(() => {})
    return last
  }

  await t.test('the webhook is trusted with a certificate from cert-manager', async t => {
    t.equal(await soonJudged(), 'by the webhook')
    await apply({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'example.com/none',
    })
    await apply(serverOf('accepted'))
    const { spec } = JSON.parse(await run(['get', 'dittoserver', 'accepted', '-o', 'json'])) as { spec: { storage: object } }
    t.match(spec.storage, { cacheSize: '5Gi' }, 'both webhooks')
  })

  await t.test('and again with a certificate of another CA', async t => {
    await playCertManager()
    await mount()
    await eventually(async () => operator.lines.filter(({ msg }) => msg === 'serving certificate loaded').length === 2, 'loaded without a restart')
    t.equal(await soonJudged(), 'by the webhook')
    t.strictSame(operator.said.filter(line => /forbidden|no permission/i.test(line)), [], 'and without the rights of the other mode')
  })

  await t.test('monitoring: every field is known, and the alerts use the scraped metrics', async t => {
    const own = t.testdir({})
    // kustomize takes relative paths alone.
    const from = (target: string) => relative(realpathSync(own), manifestFolder(target))
    await writeFile(join(own, 'kustomization.yaml'), stringify({ resources: [from('overlays/cert-manager')], components: [from('components/monitoring')] }))
    await run([...strictly, '--server-side', '-k', own])
    const [monitor] = await listed<ServiceMonitor>('servicemonitors.monitoring.coreos.com', '-n', namespace)
    const wanted = monitor?.spec.selector.matchLabels ?? {}
    const selected = (await listed<Monitored>('services', '-n', namespace)).filter(({ metadata: { labels = {} } }) =>
      Object.entries(wanted).every(([key, value]) => labels[key] === value))
    t.strictSame(selected.map(({ metadata: { name } }) => name), [job], 'its name becomes the job')
    for (const { port, path } of monitor?.spec.endpoints ?? []) {
      t.ok(selected[0]?.spec.ports?.some(({ name }) => name === port), `port ${port}`)
      t.match((await operator.get(path)).text, /^dittofs_operator_certificate_expiry_timestamp_seconds [1-9]/m)
    }
    const bundles = (await listed<{ webhooks: { clientConfig: { caBundle?: string } }[] }>('validatingwebhookconfiguration'))
      .flatMap(({ webhooks }) => webhooks.map(({ clientConfig: { caBundle = '' } }) => caBundle.length > 0))
    t.strictSame(bundles, [true], 'applying again leaves the CA that was injected')
  })
})
