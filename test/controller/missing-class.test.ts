import t from 'tap'
import type { Caches } from '../../src/controller/caches.ts'
import { Observer } from '../../src/controller/observe.ts'
import { plan } from '../../src/controller/plan/plan.ts'
import { findingsOf } from '../../src/controller/report.ts'
import { claimNames } from '../../src/render/volumes.ts'
import { absent, present, unknown, type Fact } from '../../src/rules/facts.ts'
import { defaultPolicy } from '../../src/rules/policy.ts'
import { child, observation } from './observation.ts'

// A StorageClass that does not exist: admission refuses it, but the webhook may have been away.

const spec = { storage: { metadataSize: '1Gi', storageClassName: 'fast' } }

t.test('StorageReady reports it', async t => {
  const observed = { ...observation({ spec, secrets: { 'demo-jwt-secret': { 'jwt-secret': 'x'.repeat(43) } } }), missingClass: 'fast' }
  const { storage } = findingsOf(observed, plan(observed, defaultPolicy), [])
  t.match(storage, { status: 'False', reason: 'StorageClassMissing', message: "StorageClass 'fast' does not exist: volumes stay Pending until it is created." })
})

/** Observes a server whose claims are in this phase, or absent. */
async function missingClass (className: string | undefined, fact: Fact<unknown>, phase?: string): Promise<string | undefined> {
  const { object } = observation({ spec: { storage: { metadataSize: '1Gi', ...(className === undefined ? {} : { storageClassName: className }) } } })
  const claims = phase === undefined ? [] : claimNames('demo').map(name => child('PersistentVolumeClaim', name, {}, { status: { phase } }))
  const known = (kind: string, _namespace: string, name: string) => {
    const found = kind === 'DittoServer' ? object : claims.find(({ metadata }) => kind === 'PersistentVolumeClaim' && metadata.name === name)
    return found ? { state: 'present', object: found } : { state: 'absent' }
  }
  const caches = { known, get: () => undefined, isServed: () => false } as unknown as Caches
  const client = { request: async () => await Promise.reject(new Error('not asked')) }
  const observer = new Observer({ client, caches, storageClass: async () => fact })
  return (await observer.observe('files', 'demo', { signal: AbortSignal.timeout(1_000), byName: new Set() }))?.missingClass
}

t.test('when the StorageClass is looked up', async t => {
  t.equal(await missingClass('fast', absent), 'fast', 'no volume is there yet')
  t.equal(await missingClass('fast', absent, 'Pending'), 'fast', 'the volumes wait')
  t.equal(await missingClass('fast', absent, 'Bound'), undefined, 'volumes that were made need it no more')
  t.equal(await missingClass('fast', present(true), 'Pending'), undefined)
  t.equal(await missingClass('fast', unknown('timed out'), 'Pending'), undefined, 'only a definite absence counts')
  t.equal(await missingClass(undefined, absent), undefined, 'none is named')
  t.equal(await missingClass('', absent), undefined, 'volumes without a class')
})
