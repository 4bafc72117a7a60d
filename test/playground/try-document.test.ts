import t from 'tap'
import { reportText } from '../../src/check/report-text.ts'
import { judgeManifest } from '../../src/check/judge-manifest.ts'
import { isMeantAsDittoServer } from '../../src/check/kind.ts'
import { parseManifests } from '../../src/embedded/manifests.ts'
import { tryDocument } from '../../src/playground/try-document.ts'
import { clusterOf, document, sample, tryOne } from './surroundings.ts'

t.test('a valid server: the lines of kubectl, the defaults, the objects', async t => {
  const trial = await tryOne(await sample('minimal'))
  t.match(trial, { allowed: true, operation: 'CREATE', line: 2, remarks: [] })
  t.strictSame(trial.kubectl, ['dittoserver.dittofs.dittofs.com/dittofs-minimal allowed'])
  const lines = trial.defaulted.yaml.split('\n')
  t.strictSame(trial.defaulted.added.map(line => lines[line - 1]?.trim()),
    ['image: marmos91c/dittofs:latest', 'replicas: 1', 'cacheSize: 5Gi', 'controlPlaneSize: 1Gi', 'nfsPort: 12049'])
  t.strictSame(trial.objects.map(({ kind, name }) => `${kind} ${name}`), [
    'Secret dittofs-minimal-jwt-secret', 'ConfigMap dittofs-minimal-config', 'Service dittofs-minimal-headless',
    'Service dittofs-minimal-file', 'Service dittofs-minimal-api', 'StatefulSet dittofs-minimal',
  ])
  t.notOk('effects' in trial, 'a new server has nothing to compare with')
})

t.test('an empty value is replaced, and marked; a value of the user is neither', async t => {
  const { defaulted: { yaml, added } } = await tryOne(document({ storage: { metadataSize: '10Gi', cacheSize: '' } }))
  const marked = yaml.split('\n').filter((_, index) => added.includes(index + 1)).map(line => line.trim())
  t.ok(marked.includes('cacheSize: 5Gi'))
  t.notOk(marked.includes('metadataSize: 10Gi'))
})

t.test('the sentences are those of check, at the position of the field', async t => {
  const text = await sample('mistakes')
  const around = await clusterOf()
  const { servers } = await tryDocument({ text, pane: 'verdict' }, around)
  const results = await Promise.all(parseManifests(text, '').filter(isMeantAsDittoServer).map(async manifest =>
    await judgeManifest(manifest, { ...around, stored: async () => undefined, warningsAsErrors: false })))
  const expected = results.map(result => reportText({ results: [result], warningsAsErrors: false, skippedRules: [] }).split('\n').slice(1, -1))
  t.strictSame(servers.map(({ kubectl }) => kubectl), expected)
  t.match(servers[0]?.remarks, [{ severity: 'deny', rule: 'SC-MISSING', field: 'spec.storage.storageClassName', line: 9, column: 5 }])
  t.match(servers[1]?.remarks, [{ rule: 'PORT-CONFLICT', line: 20, column: 3 }, { rule: 'S3-SECRET-MISSING', line: 24, column: 7 }])
  t.match(servers[0]?.remarks[0]?.url, /docs\/rules\.md#sc-missing$/)
})

t.test('several errors are below each other, as in kubectl', async t => {
  const { kubectl } = await tryOne(document({ replicas: 7, nfsPort: 0 }))
  t.match(kubectl, ['The DittoServer "demo" is invalid:', /^\* spec\.nfsPort: /, /^\* spec\.replicas: /])
})

t.test('objects of the document count as objects of the cluster', async t => {
  const server = document({ storage: { metadataSize: '10Gi', storageClassName: 'mine' } })
  t.notOk((await tryOne(server)).allowed)
  const storageClass = 'apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: mine}\nprovisioner: example.com/mine\n'
  t.ok((await tryOne(`${storageClass}---\n${server}`)).allowed)
  t.ok((await tryOne(server, undefined, storageClass)).allowed)
})

t.test('values of Secrets are not shown', async t => {
  const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: pg}\nstringData: {url: "postgres://me:hush-hush@db/files"}\n'
  const text = document({ database: { type: 'postgres', postgresSecretRef: { name: 'pg', key: 'url' } } })
  const trial = await tryOne(text, undefined, secret)
  const connection = trial.objects.find(({ name }) => name === 'demo-postgres-env')
  t.match(connection?.yaml, /password: \(not shown\)/)
  t.notMatch(JSON.stringify(trial), /hush-hush/)
  t.notMatch(JSON.stringify(await tryOne(text, document(), secret)), /hush-hush/, 'nor of an edit')
})

t.test('what cannot be read, and what is no server', async t => {
  const { problems, servers } = await tryDocument({ text: `a: [\n---\n${document()}`, pane: 'verdict' }, await clusterOf())
  t.match(problems, [{ line: 1, message: /./ }])
  t.equal(servers.length, 1, 'the other document is tried')
  t.strictSame(await tryDocument({ text: '', pane: 'objects' }, await clusterOf()), { problems: [], servers: [] })
  for (const text of ['kind: DittoServer\napiVersion: v1', document().replace(/metadata:\n.*\n/, 'metadata: text\n'), document({ storage: 7 })]) {
    t.match(await tryOne(text), { allowed: false, remarks: [{ severity: 'deny' }], objects: [], notRendered: /./ }, text)
  }
  t.match(await tryOne(document({ nosuch: 1 })), { remarks: [{ rule: 'UNKNOWN-FIELD', field: 'spec.nosuch', url: /docs\/check\.md$/ }] })
})

t.test('the picture', async t => {
  const of = async (spec: object, cluster = '') => (await tryOne(document(spec), undefined, cluster)).picture
  const presence = ({ nodes }: Awaited<ReturnType<typeof of>>, id: string) => nodes.find(node => node.id === id)?.presence
  const plain = await of({})
  t.equal(presence(plain, 'StorageClass/standard'), 'present', 'the default class')
  t.equal(presence(plain, 'Secret/demo-jwt-secret'), 'rendered')
  t.notOk(plain.nodes.some(node => node.presence === 'missing'))
  const ids = new Set(plain.nodes.map(({ id }) => id))
  t.equal(ids.size, plain.nodes.length)
  t.ok(plain.edges.length >= plain.nodes.length - 1 && plain.edges.every(({ from, to }) => ids.has(from) && ids.has(to)))

  t.equal(presence(await of({ storage: { metadataSize: '1Gi', storageClassName: 'nope' } }), 'StorageClass/nope'), 'missing')
  t.equal(presence(await of({ s3: { credentialsSecretRef: { secretName: 'keys' } } }), 'Secret/keys'), 'missing')
  const percona = await of({ percona: { enabled: true } })
  t.equal(presence(percona, 'PerconaPGCluster/demo-postgres'), 'missing')
  t.equal(presence(percona, 'CustomResourceDefinition/Percona operator'), 'missing')
})
