import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { isObject } from '../../src/dittoserver/structural.ts'
import { defaultInstallation, type Installation } from '../../src/manifests/install/installation.ts'
import { programOrSkip } from '../control-plane/find-program.ts'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { chart, helmTemplate, noHelm, runHelm } from '../manifests/helm.ts'
import { identity, read, same } from '../manifests/objects.ts'
import { released, type Common } from '../manifests/released.ts'
import { choices, pairwise, type Choice } from '../manifests/value-sets.ts'
import { dryRunner } from './dry-run.ts'
import { manifestFolder, serviceAccountUser } from './installation.ts'
import { kubectlUser } from './kubectl-user.ts'
import type { InstalledObject } from './grants.ts'

// The chart, with sets of values that together have every pair of choices: Helm's linter finds nothing, the objects are those that the
// description of kustomize gives for the same choices, and a real API server takes them. Then real releases, installed and upgraded.

const namespace = 'dittofs-system'

/** Maps key by key; anything else replaces. */
function merged <Value> (a: Value, b: unknown): Value {
  if (!isObject(a) || !isObject(b)) return b as Value
  return Object.fromEntries([...new Set([...Object.keys(a), ...Object.keys(b)])]
    .map(key => [key, key in b ? key in a ? merged(a[key], b[key]) : b[key] : a[key]])) as Value
}

/** Fields that a choice sets partially. */
const partial: ReadonlySet<string> = new Set(['webhook', 'pod'])

interface Chosen { readonly values: object, readonly installation: Installation, readonly common: Common }

const combined = (list: readonly Choice[]): Chosen => list.reduce<Chosen>((all, { values, installation = {}, common }) => ({
  values: merged(all.values, values),
  installation: Object.entries(installation).reduce<Installation>((sum, [key, value]) =>
    ({ ...sum, [key]: partial.has(key) ? merged(new Map(Object.entries(sum)).get(key) ?? {}, value) : value }), all.installation),
  common: common ?? all.common,
}), { values: {}, installation: defaultInstallation, common: {} })

const things = Object.values(choices)
const pairs = pairwise(things.map(({ length }) => length))
/** More than pairs need, of choices that are together by no rule. */
const more = Array.from({ length: Math.max(0, 42 - pairs.length) }, (_, set) =>
  things.map(({ length }, thing) => (set * (thing + 3) + thing) % length))
const sets = [...pairs, ...more].map(set => combined(set.flatMap((choice, thing) => things[thing]?.[choice] ?? [])))

interface PodTemplate { readonly metadata: object, readonly spec: { readonly hostNetwork?: boolean } }
interface Deployment extends InstalledObject { readonly spec: { readonly template: PodTemplate } }

async function parallel <Item> (items: readonly Item[], work: (item: Item, index: number) => Promise<void>): Promise<void> {
  const waiting = items.entries()
  await Promise.all(Array.from({ length: 2 }, async () => {
    for (const [index, item] of waiting) await work(item, index)
  }))
}

await t.test('the chart', async t => {
  const binaries = await binariesOrSkip(t)
  const helm = await programOrSkip(t, 'helm', noHelm)
  if (!binaries || helm === undefined) return
  const plane = await startControlPlane(t, binaries)
  const { run, apply } = kubectlUser(plane)
  for (const crds of ['cert-manager-crds.yaml', 'monitoring-crds.yaml']) await run(['create', '-f', manifestFolder(`../test/e2e/${crds}`)])
  await run(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'])
  await run(['apply', '-f', `${manifestFolder('default')}/namespace.yaml`])
  await run(['create', 'namespace', 'dittofs'])
  const folder = t.testdir({})
  const home = { HELM_CACHE_HOME: join(folder, 'cache'), HELM_CONFIG_HOME: join(folder, 'config'), HELM_DATA_HOME: join(folder, 'data') }

  await t.test(`${sets.length} sets of values, ${pairs.length} of them for all pairs of choices`, async t => {
    const { refusals, count } = dryRunner(plane)
    const letIn = new Set<string>()
    await parallel(sets, async ({ values, installation, common }, index) => {
      const path = join(folder, `values-${index}.json`)
      await writeFile(path, JSON.stringify(values))
      const text = await helmTemplate(helm, values).catch((error: unknown) => t.fail(`${index}: ${JSON.stringify(values)}: ${String(error)}`))
      if (typeof text !== 'string') return
      const objects = read(text) as InstalledObject[]
      same(t, objects, released(installation, common), `${index}: ${JSON.stringify(values)}`)
      t.strictSame(await refusals(objects), [], `${index}: taken`)
      t.match(await runHelm(helm, ['lint', chart, '--strict', '--namespace', namespace, '--values', path], home), / 0 chart\(s\) failed/)
      const { spec: { template } } = objects.find(({ kind }) => kind === 'Deployment') as Deployment
      const body = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...template, metadata: { ...template.metadata, name: 'pod' } })
      if (letIn.has(body)) return
      letIn.add(body)
      const { status } = await plane.request('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All&fieldValidation=Strict`, body)
      t.equal(status, template.spec.hostNetwork ? 403 : 201, `${index}: Pod Security lets its pods in, unless they use the network of the node`)
    })
    t.ok(sets.length >= 40)
    t.comment(`${count()} different objects, ${letIn.size} different pods`)
  })

  const flags = ['--namespace', namespace, '--kubeconfig', plane.kubeconfig]
  const upgrade = async (values: object, from = chart, ...more: string[]) => {
    const path = join(folder, 'release.json')
    await writeFile(path, JSON.stringify(values))
    return await runHelm(helm, ['upgrade', '--install', 'dittofs-operator', from, ...flags, '--values', path, '--reset-values', ...more], home)
  }
  const mayListSecrets = async () =>
    (await plane.kubectl(['auth', 'can-i', 'list', 'secrets', '--all-namespaces', '--as', serviceAccountUser])).stdout.trim()
  const kinds = [
    'clusterroles', 'clusterrolebindings', 'roles', 'rolebindings', 'serviceaccounts', 'services', 'deployments', 'poddisruptionbudgets',
    'networkpolicies', 'mutatingwebhookconfigurations', 'validatingwebhookconfigurations', 'issuers.cert-manager.io', 'certificates.cert-manager.io',
    'servicemonitors.monitoring.coreos.com', 'prometheusrules.monitoring.coreos.com', 'configmaps',
  ].join()
  /** The cluster matches the description, and nothing of the previous release is left. */
  const isInstalled = async (t: Test, installation: Partial<Installation>) => {
    const { items } = JSON.parse(await run(['get', kinds, '-A', '-l', 'app.kubernetes.io/name=dittofs-operator', '-o', 'json'])) as { items: InstalledObject[] }
    const wanted = released({ ...defaultInstallation, ...installation }).filter(({ kind }) => kind !== 'CustomResourceDefinition')
    t.strictSame(items.map(identity).sort(), wanted.map(identity).sort())
  }

  await t.test('upgrade from the previous version', async t => {
    await upgrade({ replicas: 3, podDisruptionBudget: { minAvailable: 2 } }, fileURLToPath(new URL('chart-before.tgz', import.meta.url)))
    await apply({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'standard' }, provisioner: 'example.com/none' })
    const caBundle = Buffer.from('-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n').toString('base64')
    // As the operator does.
    const patch = JSON.stringify([{ op: 'add', path: '/webhooks/0/clientConfig/caBundle', value: caBundle }])
    await plane.kubectl(['patch', 'validatingwebhookconfiguration', 'dittofs-operator', '--type=json', '-p', patch])
    const said = await upgrade({ replicaCount: 3 })
    t.match(said, /DittoFS operator \S+ is installed in the namespace dittofs-system/, 'NOTES.txt')
    await isInstalled(t, { replicas: 3 })
    t.equal((await run(['get', 'deployment', '-n', namespace, 'dittofs-operator', '-o', 'jsonpath={.spec.replicas}'])), '3')
    t.equal((await run(['get', 'pdb', '-n', namespace, 'dittofs-operator', '-o', 'jsonpath={.spec.maxUnavailable} {.spec.minAvailable}'])).trim(), '1')
    const bundle = await run(['get', 'validatingwebhookconfiguration', 'dittofs-operator', '-o', 'jsonpath={.webhooks[0].clientConfig.caBundle}'])
    t.equal(bundle, caBundle, 'the caBundle that the operator wrote stays')
  })

  await t.test('an upgrade to one namespace removes the permissions in all others', async t => {
    await eventually(async () => await mayListSecrets() === 'yes', 'the rights of the default')
    await upgrade({ watchNamespace: 'dittofs' })
    await isInstalled(t, { watchNamespace: 'dittofs' })
    await eventually(async () => await mayListSecrets() === 'no', 'no rights in all namespaces')
  })

  await t.test('other changes also remove old permissions', async t => {
    await upgrade({ certificates: { mode: 'cert-manager' }, monitoring: { enabled: true } })
    await isInstalled(t, { certificates: 'cert-manager', monitoring: true })
    await upgrade({ certificates: { mode: 'files' }, rbac: { userRoles: false }, serviceAccount: { name: 'storage' } })
    await isInstalled(t, { certificates: 'files', userRoles: false, serviceAccount: { create: true, name: 'storage' } })
    await upgrade({})
    await isInstalled(t, {})
  })

  await t.test('an uninstall keeps the CRD', async t => {
    await runHelm(helm, ['uninstall', 'dittofs-operator', ...flags], home)
    t.equal((await run(['get', kinds, '-A', '-l', 'app.kubernetes.io/name=dittofs-operator', '-o', 'name'])).trim(), '')
    t.match(await run(['get', 'crd', 'dittoservers.dittofs.dittofs.com', '-o', 'name']), /dittoservers/)
  })
})
