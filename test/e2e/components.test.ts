import { realpathSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { withComponents, type ComponentName } from '../../src/manifests/install/installation.ts'
import { run as runProgram } from '../command-line/program.ts'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { identity, objectsOf, read, same } from '../manifests/objects.ts'
import { dryRunner } from './dry-run.ts'
import { argumentsOf, manifestFolder, serviceAccountUser } from './installation.ts'
import { kubectlUser } from './kubectl-user.ts'
import type { InstalledObject, PolicyRule } from './grants.ts'

// Every valid combination of kustomize components, in both orders: it matches the description, it has the documented effect of each
// component, and a real API server accepts it. Then several are really applied in sequence, with the commands in docs/install.md that
// delete what is no longer part of the installation.

const namespace = 'dittofs-system'

const pick = <Item>(...choices: readonly (readonly Item[])[]) => choices
const combinations: ComponentName[][] = pick<ComponentName>([], ['cert-manager'], ['files']).flatMap(certificates =>
  pick<ComponentName>([], ['namespaced'], ['least-privilege']).flatMap(scope =>
    pick<ComponentName>([], ['ha']).flatMap(ha =>
      pick<ComponentName>([], ['monitoring']).map(monitoring => [...certificates, ...scope, ...ha, ...monitoring]))))

interface Container {
  readonly args: string[]
  readonly volumeMounts: readonly { readonly name: string, readonly mountPath: string }[]
}
interface Deployment extends InstalledObject {
  readonly spec: {
    readonly replicas: number
    readonly template: {
      readonly spec: {
        readonly topologySpreadConstraints: readonly { readonly topologyKey: string, readonly whenUnsatisfiable: string }[]
        readonly containers: readonly [Container]
        readonly volumes: readonly { readonly name: string, readonly secret?: { readonly secretName: string } }[]
      }
    }
  }
}
interface WebhookConfiguration extends InstalledObject {
  readonly metadata: InstalledObject['metadata'] & { readonly annotations?: Readonly<Record<string, string>> }
  readonly webhooks: readonly { readonly namespaceSelector: { readonly matchLabels?: object }, readonly clientConfig: object }[]
}

/** Flags have no order, and each component adds its own to the end. */
const sorted = (objects: readonly InstalledObject[]): InstalledObject[] => objects.map(object => {
  if (object.kind !== 'Deployment') return object
  const copy = structuredClone(object) as Deployment
  copy.spec.template.spec.containers[0].args.sort()
  return copy
})

/** The documented effect of each component, independent of the description that it is generated from. */
function promises (t: Test, names: readonly ComponentName[], objects: readonly InstalledObject[]): void {
  const has = (name: ComponentName) => names.includes(name)
  const find = (kind: string, name: string, place = '') =>
    objects.find(object => object.kind === kind && object.metadata.name === name && (object.metadata.namespace ?? '') === place)
  const { spec: { replicas, template: { spec: pod } } } = find('Deployment', 'dittofs-operator', namespace) as Deployment
  const args = argumentsOf(objects)
  const configurations = objects.filter(({ kind }) => kind.endsWith('WebhookConfiguration')) as WebhookConfiguration[]

  t.equal(replicas, has('ha') ? 3 : 2)
  const wanted = has('ha') ? 'DoNotSchedule' : 'ScheduleAnyway'
  t.strictSame(pod.topologySpreadConstraints.map(({ whenUnsatisfiable }) => whenUnsatisfiable), [wanted, 'ScheduleAnyway'])

  const folder = args.find(argument => argument.startsWith('--tls-dir='))?.slice('--tls-dir='.length)
  const volume = pod.containers[0].volumeMounts.find(({ mountPath }) => mountPath === folder)?.name
  const secret = pod.volumes.find(({ name }) => name === volume)?.secret?.secretName
  t.equal(secret, has('cert-manager') ? 'dittofs-operator-tls' : has('files') ? 'dittofs-operator-files' : undefined)
  const injected = configurations.map(({ metadata: { annotations } }) => annotations?.['cert-manager.io/inject-ca-from'])
  const source = has('cert-manager') ? `${namespace}/dittofs-operator-webhook` : undefined
  t.strictSame(injected, [source, source])
  t.equal(find('Certificate', 'dittofs-operator-webhook', namespace) !== undefined, has('cert-manager'))
  const makesCertificates = !has('cert-manager') && !has('files')
  t.equal(find('ClusterRole', 'dittofs-operator-certificate') !== undefined, makesCertificates)
  t.equal(find('Role', 'dittofs-operator-certificate', namespace) !== undefined, makesCertificates)

  const isNamespaced = has('namespaced') || has('least-privilege')
  t.equal(find('ClusterRole', 'dittofs-operator') === undefined, isNamespaced)
  t.equal(find('ClusterRoleBinding', 'dittofs-operator') === undefined, isNamespaced)
  t.equal(find('Role', 'dittofs-operator', 'dittofs') !== undefined, isNamespaced)
  t.equal(args.includes('--watch-namespace=dittofs'), isNamespaced)
  for (const { webhooks: [webhook] } of configurations) {
    t.strictSame(webhook?.namespaceSelector, isNamespaced ? { matchLabels: { 'kubernetes.io/metadata.name': 'dittofs' } } : {})
  }
  t.equal(args.includes('--secret-access=get'), has('least-privilege'))
  const lists = ({ resources, verbs, resourceNames }: PolicyRule) => resources.includes('secrets') && verbs.includes('list') && !resourceNames
  t.equal(objects.some(({ rules = [] }) => rules.some(lists)), !has('least-privilege'))

  for (const kind of ['ServiceMonitor', 'PrometheusRule']) t.equal(objects.some(object => object.kind === kind), has('monitoring'))
}

/** The commands of docs/install.md, by the comment above them. */
async function documentedCommands (): Promise<ReadonlyMap<string, readonly (readonly string[])[]>> {
  const page = await readFile(new URL('../../docs/install.md', import.meta.url), 'utf8')
  const [, section = ''] = page.split('\n## Narrow\n')
  const [, block = ''] = /```sh\n(# [^`]*)```/.exec(section.split('\n## ')[0] ?? '') ?? []
  return new Map(block.trim().split('\n\n').filter(paragraph => paragraph.startsWith('# ')).map(paragraph => {
    const [comment = '', ...lines] = paragraph.split('\n')
    return [comment.slice(2), lines.map(line => line.split(' ').slice(1))] as const
  }))
}

await t.test('components', async t => {
  const binaries = await binariesOrSkip(t)
  if (!binaries) return
  const plane = await startControlPlane(t, binaries)
  const { run } = kubectlUser(plane)
  for (const crds of ['cert-manager-crds.yaml', 'monitoring-crds.yaml']) await run(['create', '-f', manifestFolder(`../test/e2e/${crds}`)])
  await run(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'])
  for (const name of [namespace, 'dittofs']) await run(['create', 'namespace', name])

  const own = t.testdir({})
  const from = (target: string) => relative(realpathSync(own), manifestFolder(target))
  /** A folder as a user writes it: the default, with these components. */
  const kustomization = async (components: readonly ComponentName[]) => {
    const folder = join(own, components.join('+') || 'none')
    await mkdir(folder, { recursive: true })
    const content = { resources: [`../${from('default')}`], components: components.map(name => `../${from(`components/${name}`)}`) }
    await writeFile(join(folder, 'kustomization.yaml'), stringify(content))
    return folder
  }
  const built = async (components: readonly ComponentName[]) =>
    read(await run(['kustomize', await kustomization(components)])) as InstalledObject[]

  await t.test(`${combinations.length} combinations`, async t => {
    const { refusals, count } = dryRunner(plane)
    const judge = async (names: readonly ComponentName[]) => {
      const objects = await built(names)
      await t.test(names.join(' + ') || 'none', async t => {
        same(t, objects, objectsOf(withComponents(names)), 'as it is described')
        promises(t, names, objects)
        t.strictSame(await refusals(objects), [])
        // Among the largest combinations, every pair of components is in both orders.
        if (!names.includes('ha') || !names.includes('monitoring')) return
        same(t, sorted(await built(names.toReversed())), sorted(objects), 'in the other order')
      })
    }
    const waiting = combinations.values()
    await Promise.all(Array.from({ length: 2 }, async () => {
      for (const names of waiting) await judge(names)
    }))
    t.comment(`${count()} different objects`)
  })

  await t.test('invalid combinations are refused', async t => {
    const { stderr } = await plane.kubectl(['kustomize', await kustomization(['namespaced', 'least-privilege'])])
    t.match(stderr, /already registered id: Role.*dittofs-operator/)
    t.match((await dryRunner(plane).refusals(await built(['cert-manager', 'files']))).join('\n'), /duplicate entries for key \[name=\W*tls/)
  })

  const mayListSecrets = async () => {
    const { stdout } = await plane.kubectl(['auth', 'can-i', 'list', 'secrets', '--all-namespaces', '--as', serviceAccountUser])
    return stdout.trim()
  }
  const permissions = async () => {
    const { stdout } = await runProgram(['doctor', '--kubeconfig', plane.kubeconfig, '-o', 'json'])
    const { steps } = JSON.parse(stdout) as { steps: { title: string, status: string, detail: string, fix?: string }[] }
    return steps.find(({ title }) => title === 'Permissions')
  }
  const kinds = [
    'clusterroles', 'clusterrolebindings', 'roles', 'rolebindings', 'serviceaccounts', 'services', 'deployments', 'poddisruptionbudgets',
    'networkpolicies', 'mutatingwebhookconfigurations', 'validatingwebhookconfigurations', 'issuers.cert-manager.io', 'certificates.cert-manager.io',
    'servicemonitors.monitoring.coreos.com', 'prometheusrules.monitoring.coreos.com', 'configmaps',
  ].join()
  /** All that is labelled as the operator's. */
  const installed = async () => {
    const { items } = JSON.parse(await run(['get', kinds, '-A', '-l', 'app.kubernetes.io/name=dittofs-operator', '-o', 'json'])) as { items: InstalledObject[] }
    return items.map(identity).sort()
  }
  const unlabelled = new Set(['CustomResourceDefinition', 'Namespace'])
  const expected = (names: readonly ComponentName[]) =>
    objectsOf(withComponents(names)).filter(({ kind }) => !unlabelled.has(kind)).map(identity).sort()
  const commands = await documentedCommands()
  /** Changes an installation to these components, and runs the commands in docs/install.md for removed ones. */
  const change = async (t: Test, names: readonly ComponentName[], left: readonly string[], between = async () => {}) => {
    await run(['apply', '-k', await kustomization(names)])
    await between()
    for (const what of left) {
      const lines = commands.get(what)
      if (!lines) throw new Error(`docs/install.md does not say what to delete ${what}: ${[...commands.keys()].join('; ')}`)
      for (const line of lines) await run(line)
      commandsRun.add(what)
    }
    t.strictSame(await installed(), expected(names), 'nothing is left, and nothing is missing')
  }
  const commandsRun = new Set<string>()
  const leaving = { toOne: 'from all namespaces to one', toAll: 'from one namespace to all', fromSelf: 'from a certificate of the operator to another' }
  const secret = async (name: string) => {
    await run(['create', 'secret', 'generic', name, '-n', namespace])
    if (name === 'dittofs-operator-tls') await run(['annotate', 'secret', name, '-n', namespace, 'cert-manager.io/certificate-name=x'])
  }

  await t.test('from all namespaces to one', async t => {
    await run(['apply', '-k', manifestFolder('default')])
    await eventually(async () => await mayListSecrets() === 'yes', 'the rights of the default')
    await change(t, ['namespaced'], [leaving.toOne], async () => {
      t.equal(await mayListSecrets(), 'yes', 'kubectl apply takes nothing away')
      t.match(await permissions(), {
        status: 'warning', detail: /^more than is needed: list secrets in all namespaces/, fix: /^kubectl delete clusterrolebinding,clusterrole dittofs-operator \(/,
      })
    })
    await eventually(async () => await mayListSecrets() === 'no', 'no rights in all namespaces')
    t.match(await permissions(), { status: 'ok' })
  })

  await t.test('to another certificate mode', async t => {
    await change(t, ['files', 'least-privilege'], [leaving.fromSelf], async () => {
      t.match(await permissions(), {
        status: 'warning',
        detail: /^more than is needed: patch mutatingwebhookconfigurations/,
        fix: /^kubectl delete clusterrolebinding,clusterrole \S+-certificate; kubectl -n dittofs-system delete rolebinding,role \S+-certif/,
      })
    })
    await eventually(async () => (await permissions())?.status === 'ok', 'no rights of the other mode')
    await change(t, ['cert-manager', 'least-privilege', 'ha', 'monitoring'], [])
  })

  await t.test('and back to the default', async t => {
    for (const name of ['dittofs-operator-tls', 'dittofs-operator-ca']) await secret(name)
    await change(t, [], [leaving.toAll, 'from cert-manager', 'without monitoring'])
    t.match(await plane.kubectl(['get', 'secret', '-n', namespace, '-o', 'jsonpath={.items[*].metadata.name} {.items[*].metadata.annotations}']),
      { stdout: 'dittofs-operator-tls ' })
    t.equal(await mayListSecrets(), 'yes')
    t.match(await permissions(), { status: 'ok' })
    t.strictSame([...commandsRun].sort(), [...commands.keys()].sort(), 'every command of the page was run')
  })
})
