import t from 'tap'
import type { KubernetesObject } from '../../../src/cluster/kubernetes-object.ts'
import type { Observed, SecretAsRead } from '../../../src/controller/observed.ts'
import { digestOf, inputsOf } from '../../../src/controller/plan/inputs.ts'
import { configHashAnnotation, secretVersionsAnnotation } from '../../../src/render/stateful-set.ts'
import type { SecretData } from '../../../src/render/secret-uses.ts'
import { child, observation, type Scene } from '../observation.ts'

const external = { database: { postgresSecretRef: { name: 'pg', key: 'url' } } }
const template = { metadata: { name: 'metadata' }, spec: { resources: { requests: { storage: '1Gi' } } } }
const set = child('StatefulSet', 'demo', { annotations: { [secretVersionsAnnotation]: 'sealed' } }, {
  spec: { template: { metadata: { annotations: { [configHashAnnotation]: 'hash' } } }, volumeClaimTemplates: [template] },
})
const unchanged = (objects: Readonly<Record<string, KubernetesObject>>, scene: Scene = {}): Observed =>
  ({ ...observation({ ...scene, objects }), secrets: { state: 'unchanged' } })

t.test('if nothing has changed, the hash comes from the StatefulSet', t => {
  t.strictSame(digestOf(unchanged({ 'StatefulSet/demo': set })), { configHash: 'hash', missing: [] })
  t.strictSame(inputsOf(unchanged({ 'StatefulSet/demo': set })), { configHash: 'hash', existingTemplates: [template], secretVersions: 'sealed' })
  t.strictSame(inputsOf(unchanged({})), { configHash: '' })
  const pod = child('Pod', 'demo-0', { annotations: { 'kubectl.kubernetes.io/restartedAt': 'now' } })
  t.strictSame(inputsOf(unchanged({ 'Pod/demo-0': pod })), { configHash: '', restartedAt: 'now' })
  t.strictSame(inputsOf(unchanged({ 'StatefulSet/demo': child('StatefulSet', 'demo') })), { configHash: '' })
  const objects = { 'StatefulSet/demo': set, 'Secret/demo-postgres-env': child('Secret', 'demo-postgres-env') }
  t.equal(digestOf(unchanged(objects, { spec: external }))?.externalPostgres, 'url')
  t.strictSame(digestOf(unchanged({ 'StatefulSet/demo': set }, { spec: external })), { configHash: 'hash', missing: [], externalPostgres: 'keys' })
  t.end()
})

t.test('if Secrets were read, each version counts', t => {
  const versions = (key: string, version: string) => {
    const secrets = new Map([[key, { data: { 'jwt-secret': 'a' }, version }]])
    return inputsOf({ ...observation({}), secrets: { state: 'read', secrets } })?.secretVersions
  }
  t.match(versions('demo-jwt-secret', 'u@1'), /^[0-9a-f]{32}$/)
  t.equal(versions('demo-jwt-secret', 'u@1'), versions('demo-jwt-secret', 'u@1'))
  t.not(versions('demo-jwt-secret', 'u@1'), versions('demo-jwt-secret', 'u@2'))
  t.equal(inputsOf({ ...observation({}), secrets: { state: 'unknown', reason: 'away' } }), undefined)
  t.end()
})

t.test('there is no seal while the split connection exists without a URL, or a URL without it', t => {
  const seal = (data: SecretData, isSplit: boolean) => {
    const secrets = new Map<string, SecretAsRead>([['pg', { data, version: 'p@1' }]])
    if (isSplit) secrets.set('demo-postgres-env', { data: {}, version: 'e@1' })
    return inputsOf({ ...observation({ spec: external }), secrets: { state: 'read', secrets } })?.secretVersions
  }
  const encoded = (text: string) => Buffer.from(text).toString('base64')
  const url = { url: encoded('postgres://u:p@db.example.com:5432/dittofs') }
  t.match(seal(url, true), /^[0-9a-f]{32}$/)
  t.equal(seal(url, false), undefined, 'deleted a moment ago: the next pass would assume keys')
  const keys = Object.fromEntries(Object.entries({ host: 'h', port: '5432', dbname: 'd', user: 'u', password: 'p' }).map(([key, value]) => [key, encoded(value)]))
  t.match(seal(keys, false), /^[0-9a-f]{32}$/)
  t.equal(seal(keys, true), undefined, 'a Secret of someone else has its name')
  t.end()
})

t.test('a database keeps its versions', t => {
  const spec = { percona: { enabled: true } }
  const cluster = child('PerconaPGCluster', 'demo-postgres', {}, { spec: { crVersion: '2.5.0', postgresVersion: 15 } })
  const chosen = (objects: Scene['objects'] = {}, operator?: string) => inputsOf({ ...observation({ spec, objects }), perconaOperator: operator })?.percona
  t.notSame(chosen({ 'PerconaPGCluster/demo-postgres': cluster }, '2.9.0'), chosen({}, '2.9.0'))
  t.notSame(chosen({}, '2.9.0'), chosen())
  t.end()
})
