import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { toStored } from '../../src/dittoserver/dittoserver.ts'
import { judge, prepare } from '../../src/rules/judge.ts'
import type { Facts } from '../../src/rules/rule.ts'
import { rules } from '../../src/rules/table.ts'
import { defaultPolicy } from '../../src/rules/policy.ts'
import { binariesOrSkip, startControlPlane } from '../control-plane/control-plane.ts'

// One verdict, twice: of the rules offline, and of the API server by the schema and CEL rules that are made from them.

const creations = Number(process.env.AGREEMENT_CREATIONS ?? 700)
const updates = Number(process.env.AGREEMENT_UPDATES ?? 250)
const seed = Number(process.env.AGREEMENT_SEED ?? 20_260_101)

const enforced = rules.filter(({ claims, cel }) => claims ?? cel)
const nothing = () => ({ state: 'unknown' as const, reason: '' })
const noFacts: Facts = { storageClass: nothing, storageClasses: nothing, secret: nothing, perconaServed: nothing }

/** Mostly what a person would write, now and then something else. */
const mostly = <Value>(usual: fc.Arbitrary<Value>, odd: readonly unknown[], weight = 60): fc.Arbitrary<unknown> =>
  fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: fc.constantFrom(...odd) })
const some = (fields: Record<string, fc.Arbitrary<unknown>>, required: string[] = []) =>
  mostly(fc.record(fields, { requiredKeys: required }), [null, 7, 'x', [], {}], 150)

const size = mostly(fc.constantFrom('1Gi', '5Gi', '10Gi', '1024Mi', '2Ti', '5120Mi'), ['0Gi', '', '5G', '-1Gi', '5 Gi', 5, null, '000Mi', '99999999999999999999Gi', '1.5Gi', '٣Gi'])
const port = mostly(fc.constantFrom(1, 445, 2049, 8080, 12049, 65535), [0, -1, 65536, '8080', 80.5, null, true, 1e30])
const bool = mostly(fc.boolean(), ['true', 1, null])
const name = mostly(fc.constantFrom('secret', 'a.b', 'x'), ['', null, 5, 'x'.repeat(254)])
const key = mostly(fc.constantFrom('key', 'a.b_c-d', 'K'), ['', 'a b', 'é', null, 3])
const selector = some({ name, key, optional: bool }, ['key'])
const className = mostly(fc.constantFrom('standard', 'fast', ''), [null, 4, 'x'.repeat(254)])
const duration = mostly(fc.constantFrom('15m', '168h', '1h30m', '1.5s', '.5h', '1µs'), ['0s', '7d', '', '-1m', '1', '0h0m0s', '99999999h', '2562047h', '2562048h', '1e3s', '0.1ns', null, 15])
const quantity = mostly(fc.constantFrom('10Gi', '1', '0.5Ti', '1e10', '500M', '10240Mi'), ['0', '-1', '', '1.2.3', 'Gi', '1ki', '+5Gi', '1e', '0.0000000001', '1E', 5, null, '1e99'])
const bytes = mostly(fc.constantFrom('1GB', '512MiB', '0', '10', '1.5 GiB', '2k'), ['', '1 gigabyte', '-1', 'GB', '1GBB', '1iB', null, 5])
const cron = mostly(fc.constantFrom('0 2 * * *', '@daily', '*/15 0-6,12 1 jan-MAR mon', '0 0 1 1 ?'), ['@every', '60 * * * *', '* * *', '', 'every night', '0 2 * * 7', '0  2 * * *', '0 24 * * *', null])
const text = mostly(fc.constantFrom('x', 'marmos91c/dittofs:v1', '/data/cache'), ['', null, 5, 'x'.repeat(5000), '💾'.repeat(1000)])
const quantities = some({ cpu: mostly(fc.constantFrom('500m', '2', 1), ['', 'x', null, 1.5, true]), memory: quantity })

const storage = some({ metadataSize: size, contentSize: size, cacheSize: size, controlPlaneSize: size, storageClassName: className, unknown: text }, ['metadataSize'])
const backup = some({
  enabled: bool,
  credentialsSecretRef: some({ name }),
  bucket: mostly(fc.constant('b'), ['', null, 5]),
  endpoint: mostly(fc.constant('e'), ['', null]),
  region: text,
  fullSchedule: cron,
  incrSchedule: cron,
  retentionDays: mostly(fc.constantFrom(1, 7, 365), [0, -1, '7', null]),
})
const dbName = mostly(fc.constantFrom('dittofs', 'é'.repeat(31)), ['', 'x'.repeat(63), 'x'.repeat(64), 'é'.repeat(32), null, 5])
const spec = some({
  image: text,
  replicas: mostly(fc.constantFrom(0, 1), [2, -1, '1', null, 0.5]),
  storage,
  nfsPort: port,
  database: some({ type: mostly(fc.constantFrom('sqlite', 'postgres'), ['mysql', '', null]), sqlite: some({ path: text }), postgresSecretRef: selector }),
  cache: some({ path: text, size: bytes }),
  metrics: some({ enabled: bool, port }),
  controlPlane: some({ port }),
  identity: some({
    type: mostly(fc.constant('memory'), ['ldap', null]),
    jwt: some({ secretRef: selector, accessTokenDuration: duration, refreshTokenDuration: duration, issuer: text }),
    admin: some({ username: text, passwordSecretRef: selector }),
  }),
  service: some({
    type: mostly(fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer'), ['ExternalName', '', null]),
    annotations: mostly(fc.dictionary(fc.constantFrom('a', 'b/c', '__proto__', 'constructor'), fc.constantFrom('x', '')), [{ a: 1 }, { a: null }, [], null]),
  }),
  smb: some({ enabled: bool, port, maxConnections: mostly(fc.constantFrom(0, 5), [-1, 2 ** 31, null]), credits: some({ strategy: mostly(fc.constantFrom('fixed', 'echo'), ['x', null]), minGrant: mostly(fc.constant(1), [0]) }) }),
  s3: some({ credentialsSecretRef: some({ secretName: name, accessKeyIdKey: key, endpointKey: key }, ['secretName']), region: text, bucket: text }),
  percona: some({
    enabled: bool,
    deleteWithServer: bool,
    replicas: mostly(fc.constantFrom(1, 3, 5), [0, 6, null]),
    storageSize: quantity,
    storageClassName: className,
    databaseName: dbName,
    backup,
  }),
  resources: some({ limits: quantities, requests: quantities, claims: mostly(fc.constantFrom([], [{ name: 'a' }], [{ name: 'a' }, { name: 'b', request: 'r' }]), [[{ name: 'a' }, { name: 'a' }], [{}], [7], null]) }),
  securityContext: some({
    runAsUser: mostly(fc.constantFrom(0, 65532), ['0', -1.5, null]),
    capabilities: some({ drop: mostly(fc.constantFrom(['ALL'], []), [[1], 'ALL', [null]]) }),
    seccompProfile: some({ type: mostly(fc.constant('RuntimeDefault'), [null]) }, ['type']),
  }),
}, ['storage'])

const objectName = fc.oneof({ weight: 20, arbitrary: fc.constant('demo') }, { weight: 1, arbitrary: fc.constantFrom('1st', 'a.b', 'x'.repeat(52), 'x'.repeat(53), 'a-b') })
const dittoServer = (specification: unknown, named = 'demo') => ({
  apiVersion: 'dittofs.dittofs.com/v1alpha1', kind: 'DittoServer', metadata: { name: named, namespace: 'default' }, spec: specification,
})

interface Parts { readonly storage: object, readonly percona?: object, readonly database?: object }

/** Two unrelated specs are hardly ever a legal change, so one is put together of parts of both: fewer or more of them. */
function mix (before: Parts, after: Parts, index: number): Parts {
  const { storage, percona, database } = before
  const backend = { ...(percona ? { percona } : {}), ...(database ? { database } : {}) }
  const { percona: _, database: __, ...rest } = after
  if (index % 4 === 0) return { ...rest, ...backend, storage }
  if (index % 4 === 1) return { ...rest, ...backend, storage: { ...storage, ...after.storage } }
  if (index % 4 === 2) return { ...before, ...after, storage }
  return after
}

const binaries = await binariesOrSkip(t)
if (binaries) {
  const crd = fileURLToPath(new URL('../../manifests/crd.yaml', import.meta.url))
  const { request } = await startControlPlane(t, binaries, { crds: [crd] })
  const collection = '/apis/dittofs.dittofs.com/v1alpha1/namespaces/default/dittoservers'
  const offline = (object: unknown, oldObject?: unknown) => {
    const { allowed, errors } = judge(prepare(oldObject ? { operation: 'UPDATE', object, oldObject } : { operation: 'CREATE', object }, defaultPolicy, enforced), noFacts)
    return { allowed, why: errors.map(({ field, detail }) => `${field}: ${detail}`).join('; ') }
  }
  interface Reply { message?: string, spec?: unknown, metadata?: { resourceVersion: string } }
  const online = async (method: string, path: string, object: object) => {
    const { status, body } = await request(method, `${path}?dryRun=All`, object)
    const reply = body as Reply
    if (status !== 422 && status !== 400 && status >= 300) throw new Error(`${status}: ${reply.message ?? ''}`)
    return { allowed: status < 300, why: reply.message ?? '', spec: reply.spec }
  }

  /** Sixteen at a time. */
  const each = async <Item>(items: readonly Item[], work: (item: Item) => Promise<void>) => {
    const queue = [...items]
    await Promise.all(Array.from({ length: 16 }, async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
    }))
  }
  const disagreement = (object: unknown, ours: { allowed: boolean, why: string }, theirs: { allowed: boolean, why: string }) =>
    `offline ${ours.allowed ? 'allows' : `denies (${ours.why})`}, the API server ${theirs.allowed ? 'allows' : `denies (${theirs.why})`}: ${JSON.stringify(object).slice(0, 1500)}`

  t.test(`${creations} new objects, seed ${seed}`, async t => {
    const generated = fc.tuple(spec, objectName).map(([specification, named]) => dittoServer(specification, named))
    const objects = fc.sample(generated, { numRuns: creations, seed })
      .map(object => JSON.parse(JSON.stringify(object)) as ReturnType<typeof dittoServer>)
    const disagreements: string[] = []
    let allowed = 0
    await each(objects, async object => {
      const ours = offline(object)
      const theirs = await online('POST', collection, object)
      if (ours.allowed !== theirs.allowed) disagreements.push(disagreement(object, ours, theirs))
      if (!theirs.allowed) return
      allowed++
      const stored = (toStored(object) as { spec: unknown }).spec
      if (!t.strictSame(theirs.spec, stored, 'what is stored is what we read')) t.comment(JSON.stringify(object))
    })
    t.comment(`${allowed} of ${objects.length} allowed`)
    t.ok(allowed > objects.length * 0.2 && allowed < objects.length * 0.8, `a mix: ${allowed} of ${objects.length} allowed`)
    t.strictSame(disagreements, [])
  })

  t.test(`${updates} updates, seed ${seed}`, async t => {
    const candidates = fc.sample(spec, { numRuns: updates * 12, seed: seed + 1 }).map(found => JSON.parse(JSON.stringify(found)) as unknown)
    const legal = candidates.filter(found => offline(dittoServer(found)).allowed)
    const disagreements: string[] = []
    let allowed = 0
    const pairs = legal.slice(0, updates).map((before, index) => ({ index, name: `u-${index}`, before, after: legal[(index * 7 + 3) % legal.length] }))
    t.equal(pairs.length, updates)
    await each(pairs, async ({ index, name: named, before, after }) => {
      const merged = mix(before as Parts, after as Parts, index)
      const created = await request('POST', collection, dittoServer(before, named))
      const { resourceVersion } = (created.body as Reply).metadata ?? { resourceVersion: '' }
      const object = dittoServer(merged, named)
      const ours = offline(object, dittoServer(before, named))
      const theirs = await online('PUT', `${collection}/${named}`, { ...object, metadata: { ...object.metadata, resourceVersion } })
      if (theirs.allowed) allowed++
      if (ours.allowed !== theirs.allowed) disagreements.push(disagreement({ before, merged }, ours, theirs))
    })
    t.comment(`${allowed} of ${pairs.length} allowed`)
    t.ok(allowed > pairs.length * 0.1 && allowed < pairs.length * 0.9, `a mix: ${allowed} of ${pairs.length} allowed`)
    t.strictSame(disagreements, [])
  })
}
