import t from 'tap'
import { withDigest } from '../../../src/controller/applied-digest.ts'
import type { KubernetesObject } from '../../../src/cluster/kubernetes-object.ts'
import type { Observed, SecretAsRead } from '../../../src/controller/observed.ts'
import { secrets } from '../../../src/controller/plan/secrets.ts'
import { postgresEnvSecret } from '../../../src/render/postgres-env-secret.ts'
import { secretDigest, secretUses } from '../../../src/render/secret-uses.ts'
import { child, observation, told, type Scene } from '../observation.ts'

const key = { 'demo-jwt-secret': { 'jwt-secret': 'k'.repeat(43) } }
const external = { database: { postgresSecretRef: { name: 'pg', key: 'url' } } }
const url = { ...key, pg: { url: 'postgres://me:hush@db/files' } }
const steps = (observed: Observed) => told(secrets(observed).steps)

/** The same, where a Secret was read like this. Undefined: it was not. */
function asRead (scene: Scene, name: string, change: Partial<SecretAsRead> | undefined): Observed {
  const observed = observation(scene)
  const read = new Map(observed.secrets.state === 'read' ? observed.secrets.secrets : [])
  const before = read.get(name)
  if (!change) read.delete(name)
  else if (before) read.set(name, { ...before, ...change })
  return { ...observed, secrets: { state: 'read', secrets: read } }
}

t.test('an existing signing key is not changed', t => {
  const inPlace = { condition: 'ConfigReady', steps: [] }
  t.strictSame(secrets(observation({ secrets: key })), inPlace)
  t.strictSame(secrets({ ...observation({ secrets: key }), secrets: { state: 'unchanged' } }), inPlace, 'nor is it looked at where nothing has changed')
  const spec = { identity: { jwt: { secretRef: { name: 'mine', key: 'k' } } } }
  t.strictSame(secrets(observation({ spec, secrets: { mine: { k: 'k'.repeat(43) } } })), inPlace, 'the user has one')
  t.end()
})

t.test('a lost signing key is recreated', t => {
  t.match(secrets(asRead({ secrets: key }, 'demo-jwt-secret', { data: undefined })).steps,
    [{ do: 'patch', patch: { metadata: { uid: 'Secret-demo-jwt-secret', resourceVersion: '3' }, stringData: {} } }])
  t.strictSame(steps(asRead({ secrets: key }, 'demo-jwt-secret', undefined)), ['patch Secret demo-jwt-secret'])
  t.strictSame(steps(asRead({ secrets: { 'demo-jwt-secret': {} } }, 'demo-jwt-secret', { immutable: true })),
    ['rehearse', 'delete', 'create'].map(verb => `${verb} Secret demo-jwt-secret`))
  t.end()
})

t.test('a foreign Secret, or one that cannot be read, stops the next steps', t => {
  const foreign = secrets(observation({ objects: { 'Secret/demo-jwt-secret': child('Secret', 'demo-jwt-secret', { ownerReferences: [] }) } }))
  t.strictSame(foreign.steps, [])
  t.match(foreign.stop, { why: 'failed', message: 'Secret demo-jwt-secret exists and does not belong to this DittoServer; rename the DittoServer, or delete that object' })
  const unknown = secrets(observation({ spec: external, secrets: url, objects: { 'Secret/demo-postgres-env': { state: 'unknown', reason: 'forbidden' } } }))
  t.strictSame(unknown, { steps: [], stop: { why: 'failed', message: 'Secret demo-postgres-env cannot be read: forbidden' } })
  t.end()
})

t.test('an external connection', t => {
  const observed = observation({ spec: external, secrets: url })
  const read = new Map([['pg', { url: Buffer.from('postgres://me:hush@db/files').toString('base64') }]])
  const { connection } = secretDigest(observed.server, secretUses(observed.server), read)
  if (!connection) throw new Error('there is a connection')
  const made = withDigest(postgresEnvSecret(observed.server, connection) as unknown as KubernetesObject)
  const { data, ...rest } = made as KubernetesObject & { data: Readonly<Record<string, string>> }
  const name = 'demo-postgres-env'
  const current = { ...rest, metadata: { ...rest.metadata, uid: 'u', resourceVersion: '3' } }
  const scene = { spec: external, secrets: { ...url, [name]: {} }, objects: { [`Secret/${name}`]: current } }
  t.strictSame(steps(asRead(scene, name, { data })), [], 'as it was made')
  t.strictSame(steps(asRead(scene, name, { data: { ...data, password: 'edited' } })), [`apply Secret ${name}`])
  t.strictSame(steps(asRead(scene, name, undefined)), [], 'of one that was not read its digest tells')
  t.strictSame(steps({ ...observed, objects: new Map([...observed.objects, [`Secret/${name}`, { state: 'present', object: current }]]), secrets: { state: 'unchanged' } }), [])
  t.end()
})
