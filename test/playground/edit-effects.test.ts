import t from 'tap'
import { document, tryOne } from './surroundings.ts'

// What the page says about an edit comes from the plan of the reconcile loop; that the loop itself does this is tested elsewhere.

async function edited (after: object, before: object = {}, cluster = '') {
  const { effects } = await tryOne(document(after), document(before), cluster)
  if (!effects) throw new Error('not an edit')
  return { ...effects, steps: effects.steps.map(({ effect, what, detail }) => `${effect} ${what}${detail === '' ? '' : `: ${detail}`}`) }
}

const storage = (more: object) => ({ storage: { metadataSize: '10Gi', ...more } })

t.test('nothing', async t => {
  t.match(await edited({}), { summary: 'Nothing changes.', fields: [], steps: [] })
  t.match(await edited(storage({ cacheSize: '5Gi' })), { summary: 'Nothing changes.', fields: [], steps: [] }, 'an explicit default')
})

t.test('a growth: claims, then a StatefulSet around the running pod', async t => {
  t.strictSame(await edited(storage({ cacheSize: '20Gi' })), {
    summary: 'The edit grows 1 volume and replaces the StatefulSet. The server keeps running.',
    fields: [{ field: 'spec.storage.cacheSize', before: '5Gi', after: '20Gi', effect: 'May grow, never shrink.' }],
    steps: [
      'grow PersistentVolumeClaim cache-demo-0: 5Gi → 20Gi',
      'replace StatefulSet demo: It is replaced around its pod and its volumes, because its claim templates are immutable.',
    ],
  })
})

t.test('a restart says what changed', async t => {
  const { summary, steps } = await edited({ image: 'example.com/dittofs:v2' })
  t.equal(summary, 'The edit restarts the pod.')
  t.match(steps, ['restart Pod demo-0: Changed in the pod: image, imagePullPolicy.', /^update StatefulSet demo: Changed: /])
  t.equal(steps.length, 2)
  t.match((await edited({ identity: { jwt: { accessTokenDuration: '30m' } } })).steps[0], /^restart Pod demo-0: .*config\.yaml/)
})

t.test('what changes while the server keeps running', async t => {
  const { summary, steps } = await edited({ nfsPort: 2049 })
  t.equal(summary, 'The edit takes effect while the server keeps running.')
  t.strictSame(steps.map(step => step.split(':')[0]), ['update Service demo-headless', 'update Service demo-file'])
})

t.test('an object that appears, and one that disappears', async t => {
  t.ok((await edited({ metrics: { enabled: true } })).steps.includes('create Service demo-metrics'))
  t.ok((await edited({}, { metrics: { enabled: true } })).steps.includes('delete Service demo-metrics: It is not needed any more.'))
})

t.test('a stop and a start', async t => {
  t.match(await edited({ replicas: 0 }), { summary: 'The edit stops the server.', steps: [/^stop Pod demo-0: replicas 1 → 0/] })
  t.match(await edited({}, { replicas: 0 }), { summary: 'The edit starts the server.', steps: [/^start Pod demo-0: replicas 0 → 1/] })
})

t.test('what is refused changes nothing', async t => {
  const shrunk = await edited(storage({}), { storage: { metadataSize: '20Gi' } })
  t.equal(shrunk.summary, 'The edit is refused. The server keeps running unchanged.')
  t.match(shrunk.steps, [/^refuse spec\.storage\.metadataSize: .*a volume cannot shrink.*\[STOR-SHRINK\]$/])
  t.match(shrunk.fields, [{ field: 'spec.storage.metadataSize', before: '20Gi', after: '10Gi' }])
  t.match((await edited(storage({ contentSize: '1Gi' }))).steps, [/^refuse .*\[STOR-IMMUTABLE\]$/])
})

t.test('a field that only the schema knows has no effect', async t => {
  t.match(await edited({ identity: { jwt: { issuer: 'me' } } }), {
    summary: 'The edit is stored, and changes nothing else.', fields: [{ field: 'spec.identity.jwt.issuer', effect: 'May change, without effect.' }], steps: [],
  })
})

t.test('a Secret of the cluster', async t => {
  const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {accessKeyId: a, secretAccessKey: b}\n'
  const s3 = { s3: { credentialsSecretRef: { secretName: 'keys' } } }
  t.match((await edited(s3, {}, secret)).steps[0], /^restart Pod demo-0: .*env/)
  t.match(await edited(s3, s3, secret), { steps: [] })
})

t.test('a PostgreSQL cluster', async t => {
  const crd = 'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: perconapgclusters.pgv2.percona.com\n  labels: {pgv2.percona.com/version: v2.9.0}\n'
  const percona = (more: object) => ({ percona: { enabled: true, ...more } })
  t.match(await edited(percona({}), percona({}), crd), { steps: [] })
  const { steps } = await edited(percona({ storageSize: '50Gi' }), percona({}), crd)
  t.match(steps, [/^update PerconaPGCluster demo-postgres: Changed: .*storage/])
  t.match((await edited({}, percona({}), crd)).steps, [/^refuse .*\[PG-DISABLE\]$/])
})
