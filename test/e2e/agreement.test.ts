import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { toStored } from '../../src/dittoserver/dittoserver.ts'
import { binariesOrSkip, startControlPlane } from '../control-plane/control-plane.ts'
import { arbitrarySpec } from '../dittoserver/arbitrary.ts'
import { disagreement, each, mix, offline } from './agreement.ts'

// Compares two verdicts: of the rules offline, and of the API server by the schema and the CEL rules generated from the rules.

const creations = Number(process.env.AGREEMENT_CREATIONS ?? 700)
const updates = Number(process.env.AGREEMENT_UPDATES ?? 250)
const seed = Number(process.env.AGREEMENT_SEED ?? 20_260_101)

const objectName = fc.oneof({ weight: 20, arbitrary: fc.constant('demo') }, { weight: 1, arbitrary: fc.constantFrom('1st', 'a.b', 'x'.repeat(52), 'x'.repeat(53), 'a-b') })
const dittoServer = (specification: unknown, named = 'demo') => ({
  apiVersion: 'dittofs.dittofs.com/v1alpha1', kind: 'DittoServer', metadata: { name: named, namespace: 'default' }, spec: specification,
})

const binaries = await binariesOrSkip(t)
if (binaries) {
  const crd = fileURLToPath(new URL('../../manifests/crd.yaml', import.meta.url))
  const { request } = await startControlPlane(t, binaries, { crds: [crd] })
  const collection = '/apis/dittofs.dittofs.com/v1alpha1/namespaces/default/dittoservers'
  interface Reply { message?: string, spec?: unknown, metadata?: { resourceVersion: string } }
  const online = async (method: string, path: string, object: object) => {
    const { status, body } = await request(method, `${path}?dryRun=All`, object)
    const reply = body as Reply
    if (status !== 422 && status !== 400 && status >= 300) throw new Error(`${status}: ${reply.message ?? ''}`)
    return { allowed: status < 300, why: reply.message ?? '', spec: reply.spec }
  }

  t.test(`${creations} new objects, seed ${seed}`, async t => {
    const generated = fc.tuple(arbitrarySpec, objectName).map(([specification, named]) => dittoServer(specification, named))
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
    const candidates = fc.sample(arbitrarySpec, { numRuns: updates * 12, seed: seed + 1 })
      .map(found => JSON.parse(JSON.stringify(found)) as unknown)
    const legal = candidates.filter(found => offline(dittoServer(found)).allowed)
    const disagreements: string[] = []
    let allowed = 0
    const pairs = legal.slice(0, updates).map((before, index) => ({ index, name: `u-${index}`, before, after: legal[(index * 7 + 3) % legal.length] }))
    t.equal(pairs.length, updates)
    await each(pairs, async ({ index, name: named, before, after }) => {
      const merged = mix(before as object, after as object, index)
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
