import { fileURLToPath } from 'node:url'
import t from 'tap'
import { crdName } from '../../src/dittoserver/api.ts'
import { toStored } from '../../src/dittoserver/dittoserver.ts'
import { exampleServer } from '../../src/manifests/example-server.ts'
import type { CelRule } from '../../src/rules/rule.ts'
import { rules } from '../../src/rules/table.ts'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'

// The CustomResourceDefinition without a webhook: what it refuses, fills in and shows.

const crd = fileURLToPath(new URL('../../manifests/crd.yaml', import.meta.url))
const path = '/apis/dittofs.dittofs.com/v1alpha1/namespaces/default/dittoservers'

interface Case { readonly spec?: object, readonly oldSpec?: object, readonly name?: string }

/** Beyond the example of a rule: one case for each of its CEL rules that the example leaves out. */
const more: Readonly<Record<string, readonly Case[]>> = {
  'STOR-SHRINK': ['metadataSize', 'contentSize', 'controlPlaneSize'].map(size => ({
    spec: { storage: { [size]: '1023Mi' } }, oldSpec: { storage: { [size]: '1Gi' } },
  })),
  'SC-NONE-GROW': [
    ...['metadataSize', 'contentSize', 'controlPlaneSize'].map(size => ({
      spec: { storage: { storageClassName: '', [size]: '11Gi' } }, oldSpec: { storage: { storageClassName: '', [size]: '10Gi' } },
    })),
    { spec: { percona: { enabled: true, storageClassName: '', storageSize: '11Gi' } }, oldSpec: { percona: { enabled: true, storageClassName: '' } } },
  ],
  'SECRET-REF-REQ': [
    { spec: { database: { type: 'postgres', postgresSecretRef: { key: 'url' } } } },
    { spec: { identity: { admin: { passwordSecretRef: { name: 'admin', key: '' } } } } },
  ],
  'DUR-INVALID': [{ spec: { identity: { jwt: { accessTokenDuration: '0s' } } } }, { spec: { identity: { jwt: { refreshTokenDuration: '0h0m' } } } }],
  'PG-FROZEN': [{ spec: { percona: { enabled: true, storageClassName: 'b' } }, oldSpec: { percona: { enabled: true } } }],
  'SVC-ANNOTATION': [{ spec: { service: { annotations: { a: 'é'.repeat(128_000) } } } }],
  'RES-NAME': [{ spec: { resources: { requests: { disk: '1Gi' } } } }],
  'RES-WHOLE': [{ spec: { resources: { requests: { 'example.com/device': '1.5' }, limits: { 'example.com/device': '1.5' } } } }],
  'RES-LIMIT': [
    { spec: { resources: { requests: { 'example.com/device': 1 } } } },
    { spec: { resources: { requests: { 'hugepages-2Mi': '2Mi', cpu: 1 }, limits: { 'hugepages-2Mi': '4Mi' } } } },
  ],
  'RES-HUGEPAGES': [
    { spec: { resources: { requests: { 'hugepages-2Mi': '3Mi', cpu: 1 }, limits: { 'hugepages-2Mi': '3Mi' } } } },
    { spec: { resources: { limits: { 'hugepages-2Mi': '4Mi' } } } },
  ],
  'SEC-ROOT': [{ spec: { podSecurityContext: { runAsUser: 0 } } }],
  'SEC-PROFILE': ['securityContext', 'podSecurityContext'].flatMap(context => [
    { spec: { [context]: { seccompProfile: { type: 'Localhost' }, appArmorProfile: { type: 'Localhost' } } } },
    { spec: { [context]: { seccompProfile: { type: 'Localhost', localhostProfile: '/a' }, appArmorProfile: { type: 'Localhost', localhostProfile: ' a' } } } },
    { spec: { [context]: { seccompProfile: { type: 'Unconfined', localhostProfile: 'a' } } } },
  ]),
}

/** Similar objects that the same rules allow. */
const nearMisses: readonly Case[] = [
  { name: 'a'.repeat(52) },
  { spec: { storage: { cacheSize: '1024Mi' } }, oldSpec: { storage: { cacheSize: '1Gi' } } },
  { spec: { storage: { cacheSize: '6Gi', metadataSize: '11Gi' } }, oldSpec: { storage: { cacheSize: '5Gi' } } },
  { spec: { storage: { storageClassName: 'a' } }, oldSpec: { storage: { storageClassName: 'a' } } },
  { spec: { database: { type: 'postgres' }, percona: { enabled: true } } },
  { spec: { database: { type: 'postgres' }, percona: { enabled: true } }, oldSpec: { percona: { enabled: true } } },
  { spec: {}, oldSpec: { percona: { enabled: true } } },
  { spec: { identity: { jwt: { secretRef: { key: '' } } } } },
  { spec: { identity: { jwt: { accessTokenDuration: '1ns' } } } },
  { spec: { storage: { controlPlaneSize: '1Gi' }, percona: { enabled: true } }, oldSpec: { storage: { controlPlaneSize: '2Gi' }, percona: { enabled: true } } },
  { spec: { resources: { requests: { cpu: '500m', memory: 1000 }, limits: { cpu: 1, memory: '1000', 'example.com/device': 2, 'hugepages-2Mi': '4Mi' } } } },
  { spec: { securityContext: { runAsUser: 0, runAsNonRoot: false }, podSecurityContext: { runAsUser: 0 } } },
  { spec: { securityContext: { runAsUser: 1000 }, podSecurityContext: { runAsUser: 0 } } },
  { spec: { securityContext: { privileged: true, seccompProfile: { type: 'Localhost', localhostProfile: 'profiles/a.json' } } } },
  { spec: { service: { annotations: { 'service.beta.kubernetes.io/aws-load-balancer-type': 'nlb', Plain_key: '' } } } },
  { spec: { percona: { enabled: true, storageSize: '0.1', databaseName: 'é'.repeat(31) } } },
  { spec: { percona: { enabled: false, databaseName: 'b' } }, oldSpec: { percona: { enabled: false, databaseName: 'a' } } },
  { spec: { percona: { enabled: true, storageSize: '10240Mi' } }, oldSpec: { percona: { enabled: true, storageSize: '10Gi' } } },
  { spec: { percona: { enabled: true, backup: { enabled: true, bucket: 'b', endpoint: 'e' } } } },
  { spec: { percona: { enabled: false, backup: { enabled: true } } } },
]

const binaries = await binariesOrSkip(t)
if (binaries) {
  const { kubectl, request } = await startControlPlane(t, binaries, { crds: [crd] })
  interface Reply { spec?: unknown, message?: string, details?: { causes?: { field: string, message: string }[] } }

  let count = 0
  /** Creates (and then updates) an object of the case; returns the last reply of the API server. */
  const attempt = async ({ spec, oldSpec, name = `case-${count++}` }: Case) => {
    const send = async (method: string, at: string, object: object) => {
      const { status, body } = await request(method, at, object)
      return { status, body: body as Reply & { metadata?: { resourceVersion: string } } }
    }
    const withoutNamespace = (part: object | undefined) => ({ ...exampleServer(part, name), metadata: { name } })
    const created = await send('POST', path, withoutNamespace(oldSpec ?? spec))
    if (!oldSpec || created.status !== 201) return created
    const object = { ...withoutNamespace(spec), metadata: { name, resourceVersion: created.body.metadata?.resourceVersion } }
    return await send('PUT', `${path}/${name}`, object)
  }

  t.test('the CRD is established and structural', async t => {
    const { stdout } = await kubectl(['get', 'crd', crdName, '-o', 'jsonpath={range .status.conditions[*]}{.type}={.status} {end}'])
    t.match(stdout, 'Established=True')
    t.notMatch(stdout, 'NonStructuralSchema=True')
  })

  for (const rule of rules.filter(({ cel }) => cel)) {
    t.test(`${rule.id} on the API server`, async t => {
      const said: { field: string, message: string }[] = []
      for (const one of [rule.example, ...more[rule.id] ?? []]) {
        const { status, body } = await attempt(one)
        t.equal(status, 422, body.message ?? 'accepted')
        said.push(...body.details?.causes ?? [])
      }
      const fieldOf = ({ at, fieldPath = '' }: CelRule) => `${at}${fieldPath}`.replace(/^$/, '<nil>')
      for (const entry of rule.cel ?? []) {
        t.ok(said.some(({ field, message }) => message.includes(entry.message) && (entry.at === '' || field === fieldOf(entry))),
          `${fieldOf(entry)}: ${entry.message}`)
      }
    })
  }

  for (const rule of rules.filter(({ claims }) => claims)) {
    t.test(`${rule.id} on the API server`, async t => t.equal((await attempt(rule.example)).status, 422))
  }

  t.test('similar valid objects are accepted', async t => {
    for (const one of nearMisses) {
      const { status, body } = await attempt(one)
      t.ok(status < 300, `${JSON.stringify(one)}: ${body.message ?? 'accepted'}`)
    }
  })

  t.test('a name is checked only at creation', async t => {
    t.equal((await attempt({ name: 'a'.repeat(53) })).status, 422)
    t.equal((await attempt({ name: 'with.dots' })).status, 422)
  })

  t.test('stored objects have exactly the defaults of the schema', async t => {
    const nulls = { database: { sqlite: null }, extra: 1, s3: { region: null } }
    for (const spec of [{}, { smb: {}, percona: {}, identity: { jwt: {}, admin: null } }, nulls]) {
      const { status, body } = await attempt({ spec })
      t.equal(status, 201, body.message ?? '')
      t.strictSame(body.spec, (toStored(exampleServer(spec)) as { spec: unknown }).spec)
    }
  })

  t.test('kubectl knows the short names, and shows the columns', async t => {
    await eventually(async () => (await kubectl(['get', 'ditto'])).code === 0, 'the short name')
    t.match((await kubectl(['get', 'dittofs'])).stdout, /^NAME +READY +STATUS +DATABASE +SIZE +AGE\n/)
  })

  t.test('kubectl explains each field', async t => {
    const { stdout } = await kubectl(['explain', 'dittoserver.spec.storage.cacheSize'])
    t.match(stdout, /write-ahead log/)
    t.match(stdout, /Default: 5Gi\. May grow, never shrink\./)
  })

  t.test('kubectl reports a typing error', async t => {
    const mistyped = { ...exampleServer({ storage: { cachesize: '5Gi' } }), metadata: { name: 'mistyped' } }
    const { code, stderr } = await kubectl(['create', '-f', '-'], JSON.stringify(mistyped))
    t.equal(code, 1)
    t.match(stderr, 'unknown field "spec.storage.cachesize"')
  })

  t.test('status is a subresource', async t => {
    const name = 'with-status'
    await request('POST', path, { ...exampleServer(), metadata: { name }, status: { phase: 'Running' } })
    t.equal(((await request('GET', `${path}/${name}`)).body as { status?: unknown }).status, undefined)
    const patch = await request('PATCH', `${path}/${name}/status`, { status: { phase: 'Running' } }, 'application/merge-patch+json')
    t.equal(patch.status, 200)
    const wrong = await request('PATCH', `${path}/${name}/status`, { status: { phase: 'Dancing' } }, 'application/merge-patch+json')
    t.equal(wrong.status, 422)
  })
}
