import t from 'tap'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { SecretIndex } from '../../src/controller/secret-index.ts'

const server = (name: string, spec: object = {}, namespace = 'files') =>
  ({ apiVersion: 'v1', kind: 'DittoServer', metadata: { name, namespace }, spec: { storage: { metadataSize: '1Gi' }, ...spec } }) as KubernetesObject
const s3 = (secretName: string) => ({ s3: { credentialsSecretRef: { secretName } } })

t.test('the servers that use a Secret', async t => {
  const index = new SecretIndex()
  index.set(server('a', s3('shared')))
  index.set(server('b', s3('shared')))
  index.set(server('a', s3('shared'), 'other'))
  t.strictSame([...index.users('files/shared')], ['files/a', 'files/b'])
  t.strictSame([...index.users('other/shared')], ['other/a'])
  t.strictSame([...index.users('files/a-jwt-secret')], ['files/a'], 'what is made for it as well')
  t.strictSame([...index.users('files/unknown')], [])
  t.strictSame(['files/shared', 'files/unknown'].map(name => index.names(name)), [true, false])
  index.set(server('a', { database: { postgresSecretRef: { name: 'pg', key: 'url' } } }))
  t.strictSame([...index.users('files/shared')], ['files/b'])
  t.strictSame([...index.users('files/pg')], ['files/a'])
  t.strictSame([...index.users('files/a-postgres-env')], ['files/a'])
  for (const name of ['files/a', 'files/b', 'other/a', 'files/never']) index.delete(name)
  t.equal(index.size, 0)
})
