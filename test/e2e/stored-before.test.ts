import fc from 'fast-check'
import t from 'tap'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'
import { specSchema } from '../../src/dittoserver/schema.ts'
import type { StructuralSchema } from '../../src/dittoserver/structural.ts'
import { rules } from '../../src/rules/table.ts'
import { binariesOrSkip, startControlPlane } from '../control-plane/control-plane.ts'
import { arbitrarySpec } from '../dittoserver/arbitrary.ts'
import { disagreement, each, mix, offline } from './agreement.ts'
import { earlierCrd, servers, withValue } from './earlier-crd.ts'

// Objects that were stored before the schema was as strict as it is. Whatever is wrong with them, they can be edited, put
// right and deleted: no CEL rule fails on an old value, and nothing that did not change is held against an update.

const base = {
  storage: { metadataSize: '10Gi', contentSize: '10Gi', cacheSize: '10Gi', controlPlaneSize: '10Gi', storageClassName: 'standard' },
  identity: { jwt: { secretRef: { name: 'jwt', key: 'key' } }, admin: { passwordSecretRef: { name: 'admin', key: 'key' } } },
  percona: { enabled: true, storageSize: '10Gi', storageClassName: 'standard', backup: { enabled: true, bucket: 'b', endpoint: 'e' } },
}
const withReference = { ...base, percona: { enabled: false }, database: { type: 'postgres', postgresSecretRef: { name: 'pg', key: 'url' } } }

interface Case { readonly path: readonly string[], readonly broken: unknown }

const brokenTexts = ({ pattern, minLength, maxLength }: StructuralSchema): unknown[] => [
  ...(pattern === undefined ? [] : ['ten ~', '-5', ...new RegExp(String(pattern)).test('') ? [] : ['']]),
  ...(minLength === undefined ? [] : ['']),
  ...(typeof maxLength === 'number' && maxLength < 5_000 ? ['9'.repeat(maxLength + 1)] : []),
]

const brokenNumbers = ({ minimum, maximum }: StructuralSchema): unknown[] => [
  ...(typeof minimum === 'number' && minimum > -(2 ** 31) ? [minimum - 1] : []),
  ...(typeof maximum === 'number' && maximum < 2 ** 31 - 1 ? [maximum + 1] : []),
]

/** For every field, values of its type that its schema does not allow. */
function brokenValues (schema: StructuralSchema, path: readonly string[] = []): Case[] {
  const { type, properties, enum: choices, maxItems } = schema
  if (properties) return Object.entries(properties).flatMap(([key, property]) => brokenValues(property, [...path, key]))
  const broken = [
    ...(choices ? ['no-such-choice'] : []),
    ...(type === 'string' ? brokenTexts(schema) : []),
    ...brokenNumbers(schema),
    ...(maxItems === 0 ? [[{ name: 'a' }]] : []),
  ]
  return broken.map(value => ({ path, broken: value }))
}

/** Values that only CEL refuses, and not the rest of the schema. */
const celCases: readonly Case[] = [
  { path: ['database', 'postgresSecretRef', 'name'], broken: '' },
  { path: ['identity', 'admin', 'passwordSecretRef', 'name'], broken: '' },
  { path: ['identity', 'admin', 'passwordSecretRef', 'key'], broken: '' },
  { path: ['identity', 'jwt', 'secretRef', 'key'], broken: '' },
  { path: ['identity', 'jwt', 'accessTokenDuration'], broken: '0s' },
  { path: ['identity', 'jwt', 'refreshTokenDuration'], broken: '9999999999h' },
  { path: ['percona', 'databaseName'], broken: 'é'.repeat(60) },
  { path: ['percona', 'backup', 'bucket'], broken: '' },
  { path: ['percona', 'backup', 'endpoint'], broken: '' },
  { path: ['database', 'type'], broken: 'postgres' },
]

/** Required fields that are missing. */
const missing: readonly Case[] = [
  ['storage', 'metadataSize'], ['identity', 'jwt', 'secretRef', 'key'], ['identity', 'admin', 'passwordSecretRef', 'key'],
  ['database', 'postgresSecretRef', 'key'], ['s3', 'credentialsSecretRef', 'secretName'],
].map(path => ({ path, broken: undefined }))

const updates = Number(process.env.STORED_BEFORE_UPDATES ?? 200)
const seed = Number(process.env.STORED_BEFORE_SEED ?? 20_260_404)

/** No schema before had other types: an old object may have any other mistake. */
const isOfRightTypes = (spec: unknown) => readDittoServer({ spec }).errors.every(({ keyword }) => keyword !== 'type' && keyword !== 'anyOf')

function arbitraryPairs () {
  const specs = fc.sample(arbitrarySpec, { numRuns: updates * 3, seed }).map(spec => JSON.parse(JSON.stringify(spec)) as object)
  const old = specs.filter(isOfRightTypes).slice(0, updates)
  return old.map((before, index) => ({ name: `pair-${index}`, before, after: mix(before, specs[(index * 7 + 3) % specs.length] ?? {}, index) }))
}

const binaries = await binariesOrSkip(t)
if (binaries) {
  const earlier = earlierCrd(await startControlPlane(t, binaries))
  const { send, store, read } = earlier
  await earlier.installLoose()

  const cases = [...brokenValues(specSchema), ...celCases, ...missing].map((one, index) => ({ ...one, name: `old-${index}` }))
  for (const { name, path, broken } of cases) {
    const legalBase = path[0] === 'database' && path[1] === 'postgresSecretRef' ? withReference : path[0] === 's3' ? withValue(base, ['s3'], { credentialsSecretRef: { secretName: 's3' } }) : base
    const { allowed, why } = await store(name, withValue(legalBase, path, broken), { finalizers: ['example.com/hold'] })
    if (!allowed) throw new Error(why)
  }
  const pairs = arbitraryPairs()
  await each(pairs, async ({ name, before }) => {
    const { allowed, why } = await store(name, before)
    if (!allowed) throw new Error(why)
  })
  await earlier.installReal()

  t.test(`${pairs.length} updates of whatever was stored`, async t => {
    const disagreements: string[] = []
    const counts = { illegal: 0, allowed: 0 }
    await each(pairs, async ({ name, before, after }) => {
      const object = { ...await read(name), spec: after }
      const theirs = await send('PUT', `${servers}/${name}?dryRun=All`, object)
      const ours = offline(object, { ...object, spec: before })
      if (!offline({ ...object, spec: before }).allowed) counts.illegal++
      if (theirs.allowed) counts.allowed++
      if (ours.allowed !== theirs.allowed) disagreements.push(disagreement({ before, after }, ours, theirs))
    })
    t.comment(`${pairs.length - disagreements.length} of ${pairs.length} agree; ${counts.illegal} with an illegal old object, ${counts.allowed} allowed`)
    t.strictSame(disagreements.slice(0, 5), [])
    t.ok(counts.illegal > pairs.length / 4 && counts.allowed > pairs.length / 10, JSON.stringify(counts))
  })

  t.comment(`${cases.length} objects with one illegal value each, ${rules.flatMap(({ cel = [] }) => cel).length} CEL rules`)
  for (const { name, path, broken } of cases) {
    t.test(`${path.join('.')}: ${JSON.stringify(broken)?.slice(0, 40) ?? 'absent'}`, async t => {
      const object = await read(name)
      const update = async (change: object) => await send('PUT', `${servers}/${name}?dryRun=All`, { ...object, ...change })
      const label = await update({ metadata: { ...object.metadata, labels: { edited: 'yes' } } })
      t.ok(label.allowed, `metadata can be edited: ${label.why}`)
      const port = await update({ spec: withValue(object.spec, ['nfsPort'], 2049) })
      t.ok(port.allowed, `another field can be edited: ${port.why}`)
      const deleted = await send('DELETE', `${servers}/${name}`)
      t.ok(deleted.allowed, 'it can be deleted')
      const { finalizers: _, ...metadata } = (await read(name)).metadata
      const released = await send('PUT', `${servers}/${name}`, { ...object, metadata })
      t.ok(released.allowed, `its finalizer can go: ${released.why}`)
    })
  }
}
