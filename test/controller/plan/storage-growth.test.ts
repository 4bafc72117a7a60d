import t from 'tap'
import { planGrowth, storageObservation, type GrowthPlan } from '../../../src/controller/plan/storage-growth.ts'
import type { Claim } from '../../../src/render/claim.ts'

const template = (name: string, storage: string, storageClassName?: string): Claim => ({
  metadata: { name }, spec: { resources: { requests: { storage } }, ...storageClassName ? { storageClassName } : {} },
})
const claim = (name: string, storage: string, capacity = storage): Claim => ({
  ...template(`${name}-demo-0`, storage), status: { capacity: { storage: capacity } },
})
const plan = (wanted: readonly Claim[], existing: readonly Claim[], claims: Readonly<Record<string, Claim>> = {}) =>
  planGrowth(wanted, existing, name => claims[name])

t.test('nothing to do', async t => {
  const found = plan([template('cache', '5Gi')], [template('cache', '5120Mi')], { cache: claim('cache', '5Gi') })
  t.strictSame(found, { patches: [], added: [], drift: [], growing: [], replaceStatefulSet: false })
  t.match(storageObservation(found), { status: 'True', reason: 'StorageReady' })
})

t.test('step by step, with any process continuing', async t => {
  const wanted = [template('metadata', '10Gi'), template('cache', '10Gi')]
  const old = [template('metadata', '10Gi'), template('cache', '5Gi')]
  const claims = { metadata: claim('metadata', '10Gi'), cache: claim('cache', '5Gi') }
  const first = plan(wanted, old, claims)
  t.strictSame(first, { patches: [{ claim: 'cache-demo-0', size: '10Gi' }], added: [], drift: [], growing: [], replaceStatefulSet: false })
  t.match(storageObservation(first), { reason: 'Expanding' })

  const asked = { ...claims, cache: claim('cache', '10Gi', '5Gi') }
  const second = plan(wanted, old, asked)
  t.match(second, { patches: [], growing: [{ claim: 'cache-demo-0' }], replaceStatefulSet: true }, 'the claims are asked, now the templates')
  const third = plan(wanted, wanted, asked)
  t.match(third, { patches: [], growing: [{ claim: 'cache-demo-0' }], replaceStatefulSet: false })
  t.match(storageObservation(third), { reason: 'Expanding', message: /cache-demo-0/ })
  const failed = { ...claims, cache: { ...asked.cache, status: { ...asked.cache.status, allocatedResourceStatuses: { storage: 'ControllerResizeInfeasible' } } } }
  t.match(storageObservation(plan(wanted, wanted, failed)), { status: 'False', reason: 'ExpansionFailed', message: /cache-demo-0 cannot grow/ })
  t.match(storageObservation(plan(wanted, wanted, { ...claims, cache: claim('cache', '10Gi') })), { reason: 'StorageReady' })
})

t.test('a claim that does not exist yet is created with the new size', async t => {
  t.match(plan([template('cache', '10Gi')], [template('cache', '5Gi')]), { patches: [], replaceStatefulSet: true })
})

t.test('a claim that was expanded by another client is not changed', async t => {
  t.match(plan([template('cache', '5Gi')], [template('cache', '5Gi')], { cache: claim('cache', '50Gi') }), { patches: [], replaceStatefulSet: false })
})

t.test('changes that volumes cannot follow are named, and nothing is replaced', async t => {
  const found = plan(
    [template('metadata', '5Gi'), template('cache', '10Gi'), template('content', '1Gi')],
    [template('metadata', '10Gi'), template('cache', '5Gi'), template('controlplane', '1Gi')],
  )
  t.strictSame(found.drift, ['controlplane was removed', 'metadata shrank from 10Gi to 5Gi'])
  t.equal(found.replaceStatefulSet, false)
  t.match(storageObservation(found), { status: 'False', reason: 'StorageDrift' })
  t.match(plan([template('cache', '5Gi', 'b')], [template('cache', '5Gi', 'a')]).drift, ['cache changed its StorageClass'])
})

t.test('an added volume needs a new StatefulSet', async t => {
  const found = plan([template('metadata', '5Gi'), template('controlplane', '1Gi')], [template('metadata', '5Gi')])
  t.match(found, { added: ['controlplane'], drift: [], replaceStatefulSet: true })
  t.match(storageObservation(found), { status: 'True', reason: 'Expanding', message: /to add controlplane/ })
})

t.test('a refusal is reported', async t => {
  const found = plan([template('cache', '10Gi')], [template('cache', '5Gi')], { cache: claim('cache', '5Gi') })
  t.match(storageObservation(found, 'only dynamically provisioned pvc can be resized'), { reason: 'ExpansionRefused', message: /only dynamically/ })
})

t.test('one claim fails while others grow', async t => {
  const [growing, failed] = [{ claim: 'a', message: 'a grows.', failed: false }, { claim: 'b', message: 'b fails.', failed: true }]
  const said = (...growing: readonly object[]) => storageObservation({ ...plan([], []), growing } as GrowthPlan)
  t.strictSame(said(growing, failed), { status: 'False', reason: 'ExpansionFailed', message: 'a grows. b fails.' })
  t.match(said(growing), { status: 'True', reason: 'Expanding' })
})

t.test('templates without values have no differences', async t => {
  const bare: Claim = { metadata: { name: 'cache' } }
  t.strictSame(plan([bare], [bare]), { patches: [], added: [], drift: [], growing: [], replaceStatefulSet: false })
})
