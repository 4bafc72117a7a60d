import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { ApiError } from '../../src/cluster/api-error.ts'
import { createRequest } from '../../src/cluster/api-requests.ts'
import { kinds } from '../../src/cluster/kinds.ts'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { resourcePath } from '../../src/cluster/resource-path.ts'
import { withDigest } from '../../src/controller/applied-digest.ts'
import { contains } from '../../src/controller/plan/contains.ts'
import { readDittoServer, type DittoServer } from '../../src/dittoserver/dittoserver.ts'
import { portConflicts } from '../../src/dittoserver/ports.ts'
import { render } from '../../src/render/index.ts'
import { choosePercona } from '../../src/percona/choice.ts'
import { noFacts } from '../../src/rules/facts.ts'
import { judge, prepare } from '../../src/rules/judge.ts'
import { binariesOrSkip, startControlPlane } from '../control-plane/control-plane.ts'
import { arbitrarySpec } from '../dittoserver/arbitrary.ts'
import { each } from './agreement.ts'

// Rendered values have the canonical format of the API server: the stored object contains what was sent. So a comparison shows whether an
// object has changed since it was rendered.

const wanted = Number(process.env.CANONICAL_SPECS ?? 300)
const allowed = Number(process.env.ALLOWED_SPECS ?? 300)
const seed = Number(process.env.CANONICAL_SEED ?? 20_260_202)

const some = (fields: Record<string, fc.Arbitrary<unknown>>, requiredKeys: string[] = []) => fc.record(fields, { requiredKeys })
const size = fc.tuple(fc.integer({ min: 1, max: 8192 }), fc.constantFrom('Mi', 'Gi')).map(([count, unit]) => `${count}${unit}`)
const digits = fc.oneof(fc.integer({ min: 1, max: 5000 }).map(String), fc.constantFrom('0.5', '1.5', '.25', '2.0', '1000', '1024', '0.1', '3.1415'))
const memory = fc.tuple(digits, fc.constantFrom('Mi', 'Gi', 'M', 'G', 'Ki', 'k')).map(parts => parts.join(''))
const cpu = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.tuple(digits, fc.constantFrom('m', '')).map(parts => parts.join('')), fc.constantFrom('1e0', '25e-1', '100000u'))
const quantities = some({ cpu, memory, 'ephemeral-storage': memory })
const port = fc.integer({ min: 1024, max: 65535 })
const user = fc.integer({ min: 0, max: 100_000 })
const profile = fc.constantFrom({ type: 'RuntimeDefault' }, { type: 'Unconfined' }, { type: 'Localhost', localhostProfile: 'a/b.json' })
const seLinuxOptions = some({ level: fc.constantFrom('s0', ''), role: fc.constant('r'), type: fc.constantFrom('t', ''), user: fc.constant('u') })
const runAs = { runAsUser: user, runAsGroup: user, runAsNonRoot: fc.boolean(), seccompProfile: profile, seLinuxOptions }
const capability = fc.subarray(['ALL', 'CHOWN', 'KILL'])

const sizes = { metadataSize: size, contentSize: size, cacheSize: size, controlPlaneSize: size }
const annotations = fc.dictionary(fc.constantFrom('a', 'b/c'), fc.constantFrom('x', ''))

const spec = some({
  image: fc.constantFrom('example.com/dittofs:2', 'dittofs@sha256:' + 'a'.repeat(64)),
  replicas: fc.constantFrom(0, 1),
  storage: some({ ...sizes, storageClassName: fc.constantFrom('fast', '') }, ['metadataSize']),
  nfsPort: port,
  metrics: some({ enabled: fc.boolean(), port }),
  controlPlane: some({ port }),
  service: some({ type: fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer'), annotations }),
  smb: some({ enabled: fc.boolean(), port }),
  s3: some({ credentialsSecretRef: fc.constant({ secretName: 's3' }), region: fc.constantFrom('', 'eu-west-1') }),
  database: some({ postgresSecretRef: fc.constant({ name: 'pg', key: 'url' }) }),
  percona: some({ enabled: fc.boolean(), replicas: fc.integer({ min: 1, max: 5 }), storageSize: memory, deleteWithServer: fc.boolean() }),
  resources: quantities.chain(limits => some({ limits: fc.constant(limits), requests: fc.constantFrom({}, limits) })),
  securityContext: some({
    ...runAs,
    allowPrivilegeEscalation: fc.boolean(),
    readOnlyRootFilesystem: fc.boolean(),
    capabilities: some({ add: capability, drop: capability }),
  }),
  podSecurityContext: some({
    ...runAs,
    fsGroup: user,
    supplementalGroups: fc.array(user, { maxLength: 3 }),
    fsGroupChangePolicy: fc.constantFrom('OnRootMismatch', 'Always'),
    sysctls: fc.constantFrom([], [{ name: 'net.ipv4.ip_local_port_range', value: '1024 65535' }]),
  }),
}, ['storage'])

const binaries = await binariesOrSkip(t)
if (binaries) {
  const crds = ['../../manifests/crd.yaml', 'percona-crd.yaml'].map(path => fileURLToPath(new URL(path, import.meta.url)))
  const { client } = await startControlPlane(t, binaries, { crds })

  /** The object as the API server would store it, or why it would not. */
  const stored = async (kind: keyof typeof kinds, object: KubernetesObject): Promise<KubernetesObject | ApiError> => {
    const request = createRequest(resourcePath(kinds[kind], { namespace: 'default' }), object)
    return await client.request<KubernetesObject>({ ...request, query: { dryRun: 'All' } }).catch((error: unknown) => {
      if (error instanceof ApiError && (error.status === 422 || error.status === 400)) return error
      throw error
    })
  }

  const metadata = { name: 'demo', namespace: 'default', uid: '0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0b' }
  const objectsOf = (server: DittoServer) =>
    render(server, { configHash: '0'.repeat(64), percona: choosePercona(server.spec.percona, '2.9.0', undefined) }).filter(({ object }) => object)

  const counts = { specs: 0, objects: 0, refused: 0 }
  const changed: string[] = []
  const check = async (value: unknown) => {
    const { server, errors } = readDittoServer({ metadata, spec: value })
    if (errors.length > 0) throw new Error(`the generator made something illegal: ${JSON.stringify(errors)}`)
    let isAccepted = true
    for (const { kind, object } of objectsOf(server)) {
      if (!object) continue
      const sent = withDigest(object)
      const reply = await stored(kind, sent)
      if (reply instanceof ApiError) isAccepted = false
      else {
        counts.objects++
        if (!contains(sent, reply)) changed.push(JSON.stringify({ value, sent: sent.spec, stored: reply.spec }))
      }
    }
    if (isAccepted) counts.specs++
    else counts.refused++
  }

  t.test(`${wanted} specs`, async t => {
    const samples = fc.sample(spec, { seed, numRuns: wanted * 2 })
    for (let next = 0; next < samples.length && counts.specs < wanted; next += 8) {
      await Promise.all(samples.slice(next, next + 8).map(check))
    }
    t.comment(`${counts.specs} specs with ${counts.objects} objects came back as they were sent; ${counts.refused} were refused for other reasons`)
    t.strictSame(changed.slice(0, 3), [])
    t.ok(counts.specs >= wanted, `${counts.specs} specs`)
  })

  t.test(`whatever admission allows can be applied: ${allowed} specs`, async t => {
    // Of a real port conflict admission only warns; the reconcile loop stops before it renders anything.
    const isAllowed = (object: object) => judge(prepare({ operation: 'CREATE', object }), noFacts).allowed &&
      !portConflicts(readDittoServer(object).server.spec).some(({ real }) => real)
    const specs = fc.sample(arbitrarySpec, { seed, numRuns: allowed * 8 }).map(value => JSON.parse(JSON.stringify(value)) as unknown)
    const servers = specs.map(value => ({ metadata, spec: value })).filter(isAllowed).slice(0, allowed)
    t.equal(servers.length, allowed)
    const refused: string[] = []
    let objects = 0
    await each(servers, async object => {
      for (const { kind, object: rendered } of objectsOf(readDittoServer(object).server)) {
        if (!rendered) continue
        objects++
        const reply = await stored(kind, withDigest(rendered))
        if (reply instanceof ApiError) refused.push(`${kind}: ${reply.message}: ${JSON.stringify(object.spec)}`)
      }
    })
    t.comment(`${allowed} specs that admission allows, ${objects} objects, ${refused.length} refused`)
    t.strictSame(refused.slice(0, 5), [])
  })
}
