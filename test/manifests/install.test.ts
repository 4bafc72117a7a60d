import { execFile } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { parseAllDocuments, stringify } from 'yaml'
import { kinds } from '../../src/cluster/kinds.ts'
import { defaultInstallation } from '../../src/manifests/install/installation.ts'
import type { Installation } from '../../src/manifests/install/installation.ts'
import { kustomizeInstallations } from '../../src/manifests/install/kustomize.ts'
import type { Manifest } from '../../src/manifests/install/manifest.ts'
import { manifestsOf } from '../../src/manifests/install/parts.ts'
import type { RoleManifest } from '../../src/manifests/install/rbac.ts'
import { binariesOrSkip } from '../control-plane/control-plane.ts'
import { findHelm, helmTemplate, noHelm } from './helm.ts'

const root = new URL('../../', import.meta.url)

/** Objects by what tells them apart, so that their order does not count. */
const byIdentity = (manifests: readonly Manifest[]) => Object.fromEntries(manifests
  .map(manifest => [`${manifest.apiVersion} ${manifest.kind} ${manifest.metadata.namespace ?? ''}/${manifest.metadata.name}`, manifest] as const)
  .sort(([a], [b]) => a < b ? -1 : 1))

const read = (text: string) => parseAllDocuments(text).flatMap(document => (document.toJS() as Manifest | null) ?? [])
const objectsOf = (installation: Installation) => manifestsOf(installation).map(({ manifest }) => manifest)
const rolesOf = (installation: Installation) => objectsOf(installation)
  .filter((manifest): manifest is RoleManifest => /^(Cluster)?Role$/.test(manifest.kind) && manifest.metadata.name.startsWith('dittofs-operator'))

t.test('kustomize', async t => {
  const binaries = await binariesOrSkip(t)
  if (!binaries) return
  const kustomize = async (folder: string) =>
    read((await promisify(execFile)(binaries.kubectl, ['kustomize', resolve(fileURLToPath(root), folder)], { maxBuffer: 2 ** 24 })).stdout)
  for (const [folder, installation] of Object.entries(kustomizeInstallations)) {
    t.strictSame(byIdentity(await kustomize(folder)), byIdentity(objectsOf(installation)), folder)
  }
  // It takes relative paths alone.
  const folder = t.testdir({})
  const from = (target: string) => relative(realpathSync(folder), fileURLToPath(new URL(target, root)))
  await writeFile(join(folder, 'kustomization.yaml'),
    stringify({ resources: [from('manifests/overlays/ha')], components: [from('manifests/monitoring')] }))
  const { 'manifests/overlays/ha': ha = defaultInstallation } = kustomizeInstallations
  t.strictSame(byIdentity(await kustomize(folder)), byIdentity(objectsOf({ ...ha, monitoring: true })), 'with monitoring')
})

const helm = await findHelm()

t.test('the chart gives the same objects as kustomize, with every combination of its values', { skip: helm ? false : noHelm }, async t => {
  if (!helm) return
  /** What a release lacks, for Helm makes it itself, and what it has more, so that the servers outlive it. */
  const released = (installation: Installation) => byIdentity(objectsOf(installation).filter(({ kind }) => kind !== 'Namespace')
    .map(manifest => manifest.kind === 'CustomResourceDefinition'
      ? { ...manifest, metadata: { ...manifest.metadata, annotations: { 'helm.sh/resource-policy': 'keep' } } }
      : manifest))
  const combinations = (['self', 'cert-manager', 'files'] as const).flatMap(certificates => [true, false].flatMap(controller =>
    [undefined, 'dittofs'].map(watchNamespace => ({ certificates, controller, ...(watchNamespace ? { watchNamespace } : {}) }))))
  for (const given of combinations) {
    const monitoring = given.certificates === 'files'
    const values = {
      certificates: { mode: given.certificates, caBundle: 'YWJj' },
      controller: { enabled: given.controller },
      watchNamespace: given.watchNamespace ?? '',
      monitoring: { enabled: monitoring },
    }
    t.strictSame(byIdentity(read(await helmTemplate(helm, values))), released({ ...defaultInstallation, ...given, monitoring, caBundle: 'YWJj' }), JSON.stringify(given))
  }
  const ha = kustomizeInstallations['manifests/overlays/ha']
  if (!ha) throw new Error('no overlay ha')
  const { replicas, minAvailable, topologySpreadConstraints, pod } = ha
  const values = { replicas, podDisruptionBudget: { minAvailable }, topologySpreadConstraints, ...pod }
  t.strictSame(byIdentity(read(await helmTemplate(helm, values))), released(ha), 'ha')
  t.strictSame(byIdentity(read(await helmTemplate(helm))), released(defaultInstallation), 'nothing set')
  const more = read(await helmTemplate(helm, {
    extraArgs: ['--rule=PORT-CONFLICT=deny'], nodeSelector: { a: 'b' }, tolerations: [{ operator: 'Exists' }], imagePullSecrets: [{ name: 'x' }], replicas: 1,
  }))
  t.match(more.find(({ kind }) => kind === 'Deployment'), {
    spec: {
      replicas: 1,
      template: { spec: { nodeSelector: { a: 'b' }, tolerations: [{ operator: 'Exists' }], imagePullSecrets: [{ name: 'x' }], containers: [{ args: /rule=PORT/ }] } },
    },
  })
  t.notOk(more.some(({ kind }) => kind === 'PodDisruptionBudget'), 'a single replica must not hold up the drain of its node')
  await t.rejects(helmTemplate(helm, { certificates: { mode: 'none' } }), /values don't meet the specifications/, 'values are checked')
  await t.rejects(helmTemplate(helm, { replica: 3 }), /additional properties/i)
})

t.test('what the webhook alone may do', async t => {
  const rules = rolesOf({ ...defaultInstallation, controller: false, certificates: 'files' }).flatMap(({ rules }) => rules)
  t.strictSame(rules, [
    { apiGroups: ['storage.k8s.io'], resources: ['storageclasses'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['secrets'], verbs: ['get'] },
  ])
})

t.test('a namespaced installation grants nothing in the whole cluster but what is of the cluster', async t => {
  const roles = rolesOf({ ...defaultInstallation, watchNamespace: 'dittofs' })
  const clusterWide = roles.filter(({ kind }) => kind === 'ClusterRole').flatMap(({ rules }) => rules.flatMap(({ resources }) => resources))
  t.strictSame(clusterWide, ['storageclasses', 'mutatingwebhookconfigurations', 'validatingwebhookconfigurations'])
  const [inWatched] = roles.filter(({ kind, metadata }) => kind === 'Role' && metadata.namespace === 'dittofs')
  t.strictSame(inWatched?.rules.slice(0, Object.keys(kinds).length).map(({ resources: [resource], verbs }) => [resource, verbs]),
    Object.values(kinds).map(({ resource, verbs }) => [resource, verbs]))
})

t.test('no role grants everything', async t => {
  for (const installation of Object.values(kustomizeInstallations)) {
    for (const { metadata, rules } of rolesOf(installation)) t.notMatch(JSON.stringify(rules), '*', metadata.name)
  }
})
