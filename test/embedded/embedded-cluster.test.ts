import t from 'tap'
import { EmbeddedCluster } from '../../src/embedded/embedded-cluster.ts'
import { parseManifests } from '../../src/embedded/manifests.ts'
import { absent, present } from '../../src/rules/facts.ts'

const cluster = (yaml: string) => {
  const manifests = parseManifests(yaml, 'test')
  return new EmbeddedCluster(() => manifests)
}
const lengths = (found: object) => present({ lengths: new Map(Object.entries(found)) })

t.test('StorageClasses, sorted by name', t => {
  const found = cluster(`
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: slow}
allowVolumeExpansion: true
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: old, annotations: {storageclass.beta.kubernetes.io/is-default-class: "true"}}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: "no", annotations: {storageclass.kubernetes.io/is-default-class: "false"}}
---
apiVersion: example.com/v1
kind: StorageClass
metadata: {name: another-group}
`)
  const plain = { isDefault: false, allowVolumeExpansion: false }
  t.strictSame(found.storageClasses(), present([
    { name: 'fast', ...plain, isDefault: true }, { name: 'no', ...plain }, { name: 'old', ...plain, isDefault: true }, { name: 'slow', ...plain, allowVolumeExpansion: true },
  ]))
  t.strictSame(found.storageClass('slow'), present({ name: 'slow', ...plain, allowVolumeExpansion: true }))
  t.strictSame(found.storageClass('another-group'), absent)
  t.equal(found.stale(), undefined)
  t.end()
})

t.test('Secrets: the default namespace, and stringData over data', t => {
  const found = cluster(`
apiVersion: v1
kind: Secret
metadata: {name: here}
data: {encoded: ${Buffer.from('five!').toString('base64')}, both: ${Buffer.from('from data').toString('base64')}, empty: "", nothing: null}
stringData: {plain: ä💾c, both: four}
---
apiVersion: v1
kind: Secret
metadata: {name: there, namespace: files}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: map}
data: {a: b}
---
apiVersion: v1beta9.example.com/v1
kind: Secret
metadata: {name: another-group}
`)
  t.strictSame(found.secret('default', 'here'), lengths({ encoded: 5, both: 4, empty: 0, nothing: 0, plain: 3 }), 'in characters')
  t.strictSame(found.secret('files', 'here'), absent, 'only in the namespace that was asked for')
  t.strictSame(found.secret('files', 'there'), lengths({}))
  t.strictSame(found.secret('default', 'there'), absent)
  t.strictSame(found.secret('default', 'map'), absent)
  t.strictSame(found.secret('default', 'another-group'), absent)
  t.end()
})

t.test('if two manifests define one object, the last one counts', t => {
  const found = cluster(`
apiVersion: v1
kind: Secret
metadata: {name: a}
stringData: {key: first}
---
apiVersion: v1
kind: Secret
metadata: {name: a, namespace: default}
stringData: {key: later one}
---
{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fast}}
---
{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fast}, allowVolumeExpansion: true}
`)
  t.strictSame(found.secret('default', 'a'), lengths({ key: 9 }))
  const fast = { name: 'fast', isDefault: false, allowVolumeExpansion: true }
  t.strictSame(found.storageClass('fast'), present(fast))
  t.strictSame(found.storageClasses(), present([fast]))
  t.end()
})

t.test('Percona is installed if its CRD exists', t => {
  const crd = (name: string) => `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: ${name}}}`
  t.strictSame(cluster(crd('perconapgclusters.pgv2.percona.com')).perconaServed(), present(true))
  t.strictSame(cluster(crd('others.example.com')).perconaServed(), absent)
  t.end()
})

t.test('the version of a PostgreSQL cluster', t => {
  const one = (name: string, namespace: string, version: number) =>
    `{apiVersion: pgv2.percona.com/v2, kind: PerconaPGCluster, metadata: {name: ${name}, namespace: ${namespace}}, spec: {postgresVersion: ${version}}}\n---\n`
  const found = cluster(one('a', 'files', 16) + one('a', 'other', 14) + one('b', 'files', 15) + one('a', 'files', 17) + one('c', 'other', 18))
  t.strictSame(found.perconaCluster('files', 'a'), present({ postgresVersion: 17 }), 'of two of one object the later counts')
  t.strictSame(found.perconaCluster('files', 'b'), present({ postgresVersion: 15 }))
  t.strictSame(found.perconaCluster('files', 'c'), absent, 'only in the namespace that was asked for')
  t.strictSame(found.perconaOperator(), absent)
  t.end()
})

t.test('StorageClasses follow the manifests', t => {
  const named = (name: string) => parseManifests(`{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: ${name}}}`, 'test')
  let manifests = named('first')
  const found = new EmbeddedCluster(() => manifests)
  t.match(found.storageClasses(), present([{ name: 'first' }]))
  const [before, again] = [found.storageClass('first'), found.storageClass('first')]
  t.ok(before.state === 'present' && again.state === 'present' && before.value === again.value, 'worked out once')
  manifests = named('second')
  t.match(found.storageClasses(), present([{ name: 'second' }]))
  t.strictSame(found.storageClass('first'), absent)
  t.end()
})

t.test('invalid objects', t => {
  const found = cluster(`
{apiVersion: v1, kind: Secret, metadata: 7, data: [1], stringData: x}
---
{apiVersion: v1, kind: Secret, metadata: {name: a, namespace: 7}, data: x, stringData: {number: 12345, map: {}, nothing: null}}
---
{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: 7, annotations: x}, allowVolumeExpansion: "true"}
`)
  t.strictSame(found.secret('default', ''), lengths({}))
  t.strictSame(found.secret('default', 'a'), lengths({ number: 5, map: 15, nothing: 0 }))
  t.strictSame(found.storageClass('7'), absent)
  t.strictSame(found.storageClasses(), present([]), 'one without a name is none')
  t.end()
})

t.test('an empty cluster', t => {
  const none = cluster('')
  t.strictSame(none.storageClasses(), present([]))
  t.strictSame(none.storageClass('fast'), absent)
  t.strictSame(none.secret('default', 'a'), absent)
  t.strictSame(none.perconaServed(), absent)
  t.end()
})
