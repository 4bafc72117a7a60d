import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { kinds, type Kind } from '../../src/cluster/kinds.ts'
import { defaultInstallation, withComponents } from '../../src/manifests/install/installation.ts'
import type { Installation } from '../../src/manifests/install/installation.ts'
import { kustomizeInstallations } from '../../src/manifests/install/kustomize.ts'
import type { RoleManifest } from '../../src/manifests/install/rbac.ts'
import { binariesOrSkip } from '../control-plane/control-plane.ts'
import { findHelm, helmTemplate, noHelm } from './helm.ts'
import { byIdentity, objectsOf, read } from './objects.ts'
import { released } from './released.ts'

const root = new URL('../../', import.meta.url)

const rolesOf = (installation: Installation) => objectsOf(installation)
  .filter((manifest): manifest is RoleManifest => /^(Cluster)?Role$/.test(manifest.kind) && manifest.metadata.name.startsWith('dittofs-operator'))

t.test('kustomize', async t => {
  const binaries = await binariesOrSkip(t)
  if (!binaries) return
  const kustomize = async (folder: string) =>
    read((await promisify(execFile)(binaries.kubectl, ['kustomize', resolve(fileURLToPath(root), folder)], { maxBuffer: 2 ** 24 })).stdout)
  // Every combination of components: test/e2e/components.test.ts.
  for (const [folder, installation] of Object.entries(kustomizeInstallations)) {
    t.strictSame(byIdentity(await kustomize(folder)), byIdentity(objectsOf(installation)), folder)
  }
})

const helm = await findHelm()

t.test('the chart gives the same objects as kustomize, for every combination of values', { skip: helm ? false : noHelm }, async t => {
  if (!helm) return
  const caBundle = Buffer.from('-----BEGIN CERTIFICATE-----').toString('base64')
  const combinations = (['self', 'cert-manager', 'files'] as const).flatMap(certificates => [true, false].flatMap(controller =>
    [undefined, 'dittofs'].map(watchNamespace => ({ certificates, controller, ...(watchNamespace ? { watchNamespace } : {}) }))))
  for (const given of combinations) {
    const monitoring = given.certificates === 'files'
    const values = {
      certificates: { mode: given.certificates, ...(given.certificates === 'files' ? { caBundle } : {}) },
      controller: { enabled: given.controller },
      watchNamespace: given.watchNamespace ?? '',
      monitoring: { enabled: monitoring },
    }
    const wanted = released({ ...defaultInstallation, ...given, monitoring, caBundle })
    t.strictSame(byIdentity(read(await helmTemplate(helm, values))), byIdentity(wanted), JSON.stringify(given))
  }
  const ha = withComponents(['ha'])
  const { replicas, topologySpreadConstraints } = ha
  t.strictSame(byIdentity(read(await helmTemplate(helm, { replicaCount: replicas, topologySpreadConstraints }))), byIdentity(released(ha)), 'ha')
  t.strictSame(byIdentity(read(await helmTemplate(helm))), byIdentity(released(defaultInstallation)), 'nothing set')
  const more = read(await helmTemplate(helm, {
    extraArgs: ['--rule=PORT-CONFLICT=deny'], nodeSelector: { a: 'b' }, tolerations: [{ operator: 'Exists' }], imagePullSecrets: [{ name: 'x' }], replicaCount: 1,
  }))
  t.match(more.find(({ kind }) => kind === 'Deployment'), {
    spec: {
      replicas: 1,
      template: { spec: { nodeSelector: { a: 'b' }, tolerations: [{ operator: 'Exists' }], imagePullSecrets: [{ name: 'x' }], containers: [{ args: /rule=PORT/ }] } },
    },
  })
  t.notOk(more.some(({ kind }) => kind === 'PodDisruptionBudget'), 'a single replica must not hold up the drain of its node')
  await t.rejects(helmTemplate(helm, { certificates: { mode: 'none' } }), /values don't meet the specifications/, 'values are checked')
  await t.rejects(helmTemplate(helm, { replicas: 3 }), /additional properties/i)
})

t.test('the permissions of a webhook without the controller', async t => {
  const rules = rolesOf({ ...defaultInstallation, controller: false, certificates: 'files' }).flatMap(({ rules }) => rules)
  t.strictSame(rules, [
    { apiGroups: ['storage.k8s.io'], resources: ['storageclasses'], verbs: ['get', 'list', 'watch'] },
    {
      apiGroups: ['apiextensions.k8s.io'], resources: ['customresourcedefinitions'], resourceNames: ['perconapgclusters.pgv2.percona.com'], verbs: ['get'],
    },
    { apiGroups: [''], resources: ['secrets'], verbs: ['get'] },
    { apiGroups: ['pgv2.percona.com'], resources: ['perconapgclusters'], verbs: ['get'] },
  ])
})

t.test('a namespaced installation has cluster-wide permissions only on cluster-scoped objects', async t => {
  const roles = rolesOf({ ...defaultInstallation, watchNamespace: 'dittofs' })
  const clusterWide = roles.filter(({ kind }) => kind === 'ClusterRole').flatMap(({ rules }) => rules.flatMap(({ resources }) => resources))
  const expected = ['storageclasses', 'customresourcedefinitions', 'mutatingwebhookconfigurations', 'validatingwebhookconfigurations']
  t.strictSame(clusterWide, expected)
  const [inWatched] = roles.filter(({ kind, metadata }) => kind === 'Role' && metadata.namespace === 'dittofs')
  const namespaced = Object.values<Kind>(kinds).filter(({ only }) => only === undefined)
  t.strictSame(inWatched?.rules.slice(0, namespaced.length).map(({ resources: [resource], verbs }) => [resource, verbs]),
    namespaced.map(({ resource, verbs }) => [resource, verbs]))
})

t.test('no role grants everything', async t => {
  for (const installation of Object.values(kustomizeInstallations)) {
    for (const { metadata, rules } of rolesOf(installation)) t.notMatch(JSON.stringify(rules), '*', metadata.name)
  }
})
