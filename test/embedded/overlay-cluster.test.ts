import t from 'tap'
import { EmbeddedCluster } from '../../src/embedded/embedded-cluster.ts'
import { parseManifests } from '../../src/embedded/manifests.ts'
import { OverlayCluster } from '../../src/embedded/overlay-cluster.ts'
import { absent, present, unknown } from '../../src/rules/facts.ts'

const cluster = (yaml: string) => {
  const manifests = parseManifests(yaml, 'test')
  return new EmbeddedCluster(() => manifests)
}
const signal = new AbortController().signal
const storageClass = (name: string, rest = '') => `{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: ${name}}${rest}}\n---\n`
const secret = (name: string, data: string) => `{apiVersion: v1, kind: Secret, metadata: {name: ${name}}, stringData: ${data}}\n---\n`
const lengths = (found: object) => present({ lengths: new Map(Object.entries(found)) })

t.test('the state after the manifests are applied', async t => {
  const below = cluster(storageClass('both') + storageClass('below') + secret('both', '{kept: a, changed: a}') + secret('below', '{a: b}'))
  const above = cluster(storageClass('both', ', allowVolumeExpansion: true') + storageClass('above') + secret('both', '{changed: abc, added: ab}') + secret('above', '{a: b}'))
  const overlay = new OverlayCluster(below, above)
  const plain = { isDefault: false, allowVolumeExpansion: false }
  const classes = [{ name: 'above', ...plain }, { name: 'below', ...plain }, { name: 'both', ...plain, allowVolumeExpansion: true }]
  t.strictSame(overlay.storageClasses(), present(classes))
  for (const found of classes) t.strictSame(await overlay.storageClass(found.name, signal), present(found))
  t.strictSame(await overlay.storageClass('neither', signal), absent)
  t.strictSame(await overlay.secret('default', 'above', signal), lengths({ a: 1 }))
  t.strictSame(await overlay.secret('default', 'below', signal), lengths({ a: 1 }))
  t.strictSame(await overlay.secret('default', 'both', signal), lengths({ kept: 1, changed: 3, added: 2 }), 'keys that the manifest does not have stay')
  t.strictSame(await overlay.secret('other', 'both', signal), absent)
  t.strictSame(await overlay.perconaServed(signal), absent)
  t.strictSame(await overlay.perconaOperator(signal), absent)
  t.strictSame(await overlay.perconaCluster('default', 'a', signal), absent)
})

t.test('other objects come from the cluster', async t => {
  const crd = '{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, ' +
    'metadata: {name: perconapgclusters.pgv2.percona.com, labels: {pgv2.percona.com/version: 2.9.0}}}\n---\n'
  const percona = '{apiVersion: pgv2.percona.com/v2, kind: PerconaPGCluster, metadata: {name: a}, spec: {postgresVersion: 17}}\n'
  const overlay = new OverlayCluster(cluster(crd + percona), cluster(''))
  t.strictSame(await overlay.perconaServed(signal), present(true))
  t.strictSame(await overlay.perconaOperator(signal), present({ version: '2.9.0' }))
  t.strictSame(await overlay.perconaCluster('default', 'a', signal), present({ postgresVersion: 17 }))
})

t.test('a cluster that does not answer', async t => {
  const away = unknown('away')
  const below = Object.assign(cluster(''), {
    storageClasses: () => away,
    storageClass: () => away,
    secret: () => away,
    perconaServed: () => away,
    perconaOperator: () => away,
    perconaCluster: () => away,
  })
  const crd = '{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, ' +
    'metadata: {name: perconapgclusters.pgv2.percona.com, labels: {pgv2.percona.com/version: 2.9.0}}}\n---\n'
  const percona = '{apiVersion: pgv2.percona.com/v2, kind: PerconaPGCluster, metadata: {name: a}, spec: {postgresVersion: 17}}\n'
  const overlay = new OverlayCluster(below, cluster(storageClass('above') + secret('above', '{a: b}') + crd + percona))
  t.strictSame(overlay.storageClasses(), away, 'the manifests alone are not all of them')
  t.match(await overlay.storageClass('above', signal), { state: 'present' })
  t.strictSame(await overlay.storageClass('neither', signal), away)
  t.strictSame(await overlay.secret('default', 'above', signal), lengths({ a: 1 }))
  t.strictSame(await overlay.secret('default', 'neither', signal), away)
  t.strictSame(await overlay.perconaServed(signal), present(true))
  t.strictSame(await overlay.perconaOperator(signal), present({ version: '2.9.0' }))
  t.strictSame(await overlay.perconaCluster('default', 'a', signal), present({ postgresVersion: 17 }))
  t.strictSame(await overlay.perconaCluster('default', 'b', signal), away)
})

t.test('start, stop and readiness are those of the cluster below', async t => {
  const called: string[] = []
  const below = Object.assign(cluster(''), {
    start: async () => { called.push('start') },
    stop: async () => { called.push('stop') },
    stale: () => 'not yet',
  })
  const overlay = new OverlayCluster(below, cluster(''))
  await overlay.start()
  t.equal(overlay.stale(), 'not yet')
  await overlay.stop()
  t.strictSame(called, ['start', 'stop'])
})
