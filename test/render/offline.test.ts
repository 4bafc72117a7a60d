import t from 'tap'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'
import { exampleServer } from '../../src/manifests/example-server.ts'
import { renderOffline } from '../../src/render/offline.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const object = (kind: string, namespace: string, name: string, rest: object = {}): KubernetesObject =>
  ({ apiVersion: 'v1', kind, metadata: { name, namespace }, ...rest })
const secret = (name: string, data?: Readonly<Record<string, string>>) => object('Secret', 'files', name, data ? { data } : {})

/** The rendered objects of a server in a cluster with these objects. */
async function rendered (spec: object, objects: readonly KubernetesObject[] = [], uid?: string) {
  const { metadata, ...rest } = exampleServer(spec)
  const { server } = readDittoServer({ ...rest, metadata: { ...metadata, ...(uid === undefined ? {} : { uid }) } })
  return await renderOffline(server, async (kind, namespace, name) =>
    objects.find(each => each.kind === kind && each.metadata.name === name && (each.metadata.namespace ?? '') === namespace))
}
const names = (objects: readonly KubernetesObject[]) => objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
const find = (objects: readonly KubernetesObject[], kind: string) => objects.find(each => each.kind === kind)
const hashOf = (objects: readonly KubernetesObject[]) =>
  (find(objects, 'StatefulSet')?.spec as { template: { metadata: { annotations: Record<string, string> } } }).template.metadata.annotations['dittofs.io/config-hash']

const usual = ['ConfigMap demo-config', 'Service demo-headless', 'Service demo-file', 'Service demo-api', 'StatefulSet demo']
const signingKey = secret('demo-jwt-secret', { 'jwt-secret': base64('k'.repeat(43)) })
const ownKey = { identity: { jwt: { secretRef: { name: 'keys', key: 'jwt' } } } }

t.test('a signing key is created only if the operator would create one', async t => {
  const made = await rendered({})
  t.strictSame(names(made), ['Secret demo-jwt-secret', ...usual])
  t.match(made[0], { type: 'Opaque', metadata: { namespace: 'files' } })
  const { stringData } = made[0] as unknown as { stringData: Record<string, string> }
  t.strictSame(Object.keys(stringData), ['jwt-secret'])
  const kept = secret('demo-jwt-secret', { 'jwt-secret': base64(stringData['jwt-secret'] ?? '') })
  const again = await rendered({}, [kept])
  t.strictSame(names(again), usual, 'one that exists is kept')
  t.equal(hashOf(again), hashOf(made), 'the pod does not restart once the key is kept')
  t.strictSame(names(await rendered({}, [secret('demo-jwt-secret')])), ['Secret demo-jwt-secret', ...usual], 'a Secret without it')
  t.strictSame(names(await rendered(ownKey)), usual, 'nor in place of the user\'s, which may come later')
  t.strictSame(names(await rendered(ownKey, [secret('keys')])), usual)
})

t.test('the URL of an external PostgreSQL is split into a Secret', async t => {
  const spec = { database: { postgresSecretRef: { name: 'pg', key: 'url' } } }
  const url = secret('pg', { url: base64('postgres://u:p@db/d') })
  t.strictSame(names(await rendered(spec, [signingKey, url])), ['Secret demo-postgres-env', ...usual])
  t.strictSame(names(await rendered(spec, [signingKey, secret('pg', { host: base64('db') })])), usual)
  t.strictSame(names(await rendered(spec, [signingKey])), usual)
})

t.test('existing objects are read: templates, the PostgreSQL cluster, the version of the Percona operator', async t => {
  const templates = [{ metadata: { name: 'metadata' }, spec: { resources: { requests: { storage: '1Gi' } } } }]
  const set = object('StatefulSet', 'files', 'demo', { spec: { volumeClaimTemplates: templates } })
  t.match(find(await rendered({}, [set]), 'StatefulSet'), { spec: { volumeClaimTemplates: templates } })

  const spec = { percona: { enabled: true } }
  const crd: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'perconapgclusters.pgv2.percona.com', labels: { 'pgv2.percona.com/version': 'v2.8.0' } },
  }
  const crVersion = async (objects: readonly KubernetesObject[]) =>
    (find(await rendered(spec, objects), 'PerconaPGCluster')?.spec as { crVersion?: string }).crVersion
  t.equal(await crVersion([]), undefined)
  t.equal(await crVersion([crd]), '2.8.0')
  t.equal(await crVersion([crd, object('PerconaPGCluster', 'files', 'demo-postgres', { spec: { crVersion: '2.7.0' } })]), '2.7.0')
})

t.test('a server that is not in a cluster owns nothing', async t => {
  for (const each of await rendered({})) t.notOk('ownerReferences' in each.metadata, each.kind)
  for (const each of await rendered({}, [], '1111')) t.match(each.metadata.ownerReferences, [{ name: 'demo', uid: '1111' }], each.kind)
})
