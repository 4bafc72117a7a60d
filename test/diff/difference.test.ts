import t from 'tap'
import { storedObject } from '../../src/check/apply.ts'
import { asAdmitted } from '../../src/check/judge-manifest.ts'
import type { KindName } from '../../src/cluster/kinds.ts'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { differenceOf } from '../../src/diff/difference.ts'
import { differingPaths } from '../../src/diff/differing-paths.ts'
import { exitCodeOf, linesOf, reportJson, sentencesOf } from '../../src/diff/report.ts'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'
import { EmbeddedCluster } from '../../src/embedded/embedded-cluster.ts'
import { parseManifests, type Manifest } from '../../src/embedded/manifests.ts'
import { renderOffline, type ReadObject } from '../../src/render/offline.ts'
import { parsePolicy } from '../../src/rules/policy.ts'

const spec = { storage: { metadataSize: '10Gi', cacheSize: '5Gi' }, image: 'example.com/dittofs:1' }
const serverOf = (change: object = {}, metadata: object = {}) => ({
  apiVersion: 'dittofs.dittofs.com/v1alpha1', kind: 'DittoServer', metadata: { name: 'demo', namespace: 'files', ...metadata }, spec: { ...spec, ...change },
})
const secret = (name: string, data: object) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'files' }, data }) as KubernetesObject
const key = secret('demo-jwt-secret', { 'jwt-secret': Buffer.from('k'.repeat(43)).toString('base64') })
const claim = (template: string, storage: string) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: `${template}-demo-0`, namespace: 'files' },
  spec: { resources: { requests: { storage } } },
}) as KubernetesObject

/** The cluster after the operator has carried out a spec, and nothing else in it. */
async function clusterWith (change: object | undefined, more: readonly KubernetesObject[] = []) {
  const stored = change && asAdmitted(serverOf(change, { uid: 'u', generation: 1 }), undefined) as KubernetesObject
  const given = [key, ...more]
  const readFrom = (objects: readonly KubernetesObject[]): ReadObject => async (kind: KindName, _, name) =>
    objects.find(object => object.kind === kind && object.metadata.name === name)
  const rendered = stored ? await renderOffline(readDittoServer(stored).server, readFrom(given)) : []
  const claims = stored ? [claim('metadata', '10Gi'), claim('cache', '5Gi'), claim('controlplane', '1Gi')] : []
  return {
    cluster: new EmbeddedCluster(() => []),
    policy: parsePolicy([]),
    warningsAsErrors: false,
    stored: async () => stored && storedObject(stored),
    read: readFrom([...given, ...rendered, ...claims]),
  }
}

const manifest = (change: object) => parseManifests(JSON.stringify(serverOf(change)), 'demo.yaml')[0] as Manifest
const differenceFrom = async (before: object | undefined, after: object, more: readonly KubernetesObject[] = []) =>
  await differenceOf(manifest(after), await clusterWith(before, more))
const changed = (difference: Awaited<ReturnType<typeof differenceFrom>>) => difference.objects.map(({ object }) => object)

t.test('the same spec changes nothing', async t => {
  const difference = await differenceFrom({}, {})
  t.match(difference, { isNew: false, objects: [], notes: [], outcome: { pod: 'unchanged', statefulSet: 'unchanged', grows: [] } })
  t.equal(exitCodeOf([difference]), 0)
  t.strictSame(sentencesOf(difference.outcome ?? t.fail('none') as never), [])
})

t.test('a new server', async t => {
  const difference = await differenceFrom(undefined, {})
  t.match(difference, { isNew: true, outcome: { pod: 'starts', statefulSet: 'created' } })
  const services = ['headless', 'file', 'api'].map(name => `Service/files/demo-${name}`)
  t.strictSame(changed(difference), ['DittoServer/files/demo', 'ConfigMap/files/demo-config', ...services, 'StatefulSet/files/demo'])
  t.equal(exitCodeOf([difference]), 1)
})

t.test('a port of the Service does not restart the server', async t => {
  const difference = await differenceFrom({}, { nfsPort: 2049 })
  t.match(difference.outcome, { pod: 'unchanged', statefulSet: 'unchanged' })
  t.strictSame(changed(difference), ['DittoServer/files/demo', 'Service/files/demo-headless', 'Service/files/demo-file'])
})

t.test('an image restarts it, and so does the configuration', async t => {
  const image = await differenceFrom({}, { image: 'example.com/dittofs:2' })
  t.match(image.outcome, { pod: 'restarts', statefulSet: 'updated', causes: ['spec.containers[dittofs].image'] })
  const port = await differenceFrom({}, { controlPlane: { port: 8081 } })
  t.match(port.outcome, { pod: 'restarts' })
  t.ok(port.outcome?.causes.includes('metadata.annotations[dittofs.io/config-hash]'), String(port.outcome?.causes))
  t.match(linesOf(port).map(line => line.map(([, text]) => text).join('')).join('\n'), /^# The server restarts, because its pod differs in /m)
})

t.test('a stop and a start', async t => {
  t.match((await differenceFrom({}, { replicas: 0 })).outcome, { pod: 'stops', statefulSet: 'updated' })
  t.match((await differenceFrom({ replicas: 0 }, {})).outcome, { pod: 'starts' })
})

t.test('a volume grows, and the StatefulSet is replaced around the pod', async t => {
  const difference = await differenceFrom({}, { storage: { metadataSize: '20Gi', cacheSize: '5Gi' } })
  const grows = [{ claim: 'metadata-demo-0', from: '10Gi', to: '20Gi' }]
  t.match(difference.outcome, { pod: 'unchanged', statefulSet: 'replaced', grows, replacedFor: ['the volume metadata has 20Gi'], kept: [] })
  t.match(difference.objects.find(({ object }) => object === 'StatefulSet/files/demo')?.diff, /^-\s+storage: 10Gi\n\+\s+storage: 20Gi$/m)
  t.strictSame(sentencesOf(difference.outcome ?? t.fail('none') as never), [
    'The server keeps running.', 'The volume metadata-demo-0 grows from 10Gi to 20Gi.', 'The StatefulSet is replaced, and its volumes are kept: the volume metadata has 20Gi.',
  ])
})

t.test('an added volume restarts the server', async t => {
  const percona = { percona: { enabled: true } }
  const acknowledged = { metadata: { name: 'demo', namespace: 'files', annotations: { 'dittofs.dittofs.com/acknowledge': 'PG-DISABLE' } } }
  const edited = parseManifests(JSON.stringify({ ...serverOf({ percona: { enabled: false } }), ...acknowledged }), 'demo.yaml')[0] as Manifest
  const difference = await differenceOf(edited, await clusterWith(percona))
  t.match(difference.outcome, { pod: 'restarts', statefulSet: 'replaced', replacedFor: ['the volume controlplane is added'] })
  t.ok(difference.outcome?.causes.some(cause => cause.includes('volumeMounts')), String(difference.outcome?.causes))
  t.strictSame(difference.notes, ['PerconaPGCluster/files/demo-postgres is no longer used, and is kept.'])
  t.notOk(changed(difference).includes('PerconaPGCluster/files/demo-postgres'))
})

t.test('an object that is no longer needed', async t => {
  const difference = await differenceFrom({ metrics: { enabled: true } }, {})
  t.match(difference.objects.find(({ object }) => object === 'Service/files/demo-metrics')?.diff, /\+0,0 @@/)
})

t.test('a spec that admission denies', async t => {
  const difference = await differenceFrom({}, { storage: { metadataSize: '5Gi', cacheSize: '5Gi' } })
  t.equal(difference.result.allowed, false)
  t.strictSame(changed(difference), ['DittoServer/files/demo'], 'nothing else is carried out')
  t.equal(exitCodeOf([difference]), 3)
  t.match(JSON.parse(reportJson([difference])), { changed: true, servers: [{ allowed: false, errors: [/metadataSize/] }] })
})

t.test('a Secret with other contents restarts the server; no value is shown', async t => {
  const s3 = (name: string) => ({ s3: { credentialsSecretRef: { secretName: name } } })
  const secrets = ['one', 'two'].map(name => secret(name, { accessKeyId: 'aaaa', secretAccessKey: 'c2VjcmV0' }))
  const difference = await differenceFrom(s3('one'), s3('two'), secrets)
  t.match(difference.outcome, { pod: 'restarts' })
  t.notMatch(JSON.stringify(difference), 'c2VjcmV0')
})

t.test('paths at which values differ', async t => {
  t.strictSame(differingPaths({ a: 1, b: [{ name: 'x', v: 1 }] }, { a: 1, b: [{ name: 'x', v: 2 }, { name: 'y' }] }), ['b[x].v', 'b[y]'])
  t.strictSame(differingPaths({ a: { 'c.io/d': 1 } }, { a: {} }), ['a[c.io/d]'])
  t.strictSame(differingPaths([1, 2], [1, 3]), ['[1]'])
  t.strictSame(differingPaths({ a: 1 }, { a: 1 }), [])
})
