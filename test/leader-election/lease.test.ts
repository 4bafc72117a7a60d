import t, { type Test } from 'tap'
import { apiLeaseStore, type Lease } from '../../src/leader-election/lease.ts'
import { answer, scriptedApi, status } from '../cluster/scripted-api.ts'

const lease: Lease = {
  apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'operator', namespace: 'ns', resourceVersion: '3' }, spec: { holderIdentity: 'a' },
}
const spec = { holderIdentity: 'b' }
const path = '/apis/coordination.k8s.io/v1/namespaces/ns/leases'

async function storeThatAnswers (t: Test, code: number, body: unknown) {
  const { client, requests } = await scriptedApi(t, (_request, response) => { answer(response, code, body) })
  return { store: apiLeaseStore(client, 'ns', 'operator'), requests, signal: AbortSignal.timeout(10_000) }
}

t.test('the Lease is created, or replaced at the version that was seen', async t => {
  const { store, requests, signal } = await storeThatAnswers(t, 200, lease)
  t.strictSame(await store.read(signal), lease)
  t.strictSame(await store.write(spec, undefined, signal), lease)
  t.strictSame(await store.write(spec, lease, signal), lease)
  t.strictSame(requests.map(({ method, url, body }) => [method, url.pathname, body === '' ? '' : JSON.parse(body) as unknown]), [
    ['GET', `${path}/operator`, ''],
    ['POST', path, { ...lease, metadata: { name: 'operator', namespace: 'ns' }, spec }],
    ['PUT', `${path}/operator`, { ...lease, spec }],
  ])
})

t.test('refusals of the API server', async t => {
  const cases: [code: number, read: string, create: string, replace: string][] = [
    [404, 'none', 'fails', 'none'],
    [409, 'fails', 'none', 'none'],
    [403, 'fails', 'fails', 'fails'],
    [500, 'fails', 'fails', 'fails'],
  ]
  for (const [code, ...expected] of cases) {
    const { store, signal } = await storeThatAnswers(t, code, status(code, 'Refused'))
    const outcome = async (request: Promise<unknown>) => await request.then(found => found === undefined ? 'none' : 'some', () => 'fails')
    const outcomes = [store.read(signal), store.write(spec, undefined, signal), store.write(spec, lease, signal)].map(outcome)
    t.strictSame(await Promise.all(outcomes), expected, `${code}`)
  }
})

t.test('a request is aborted with its signal', async t => {
  const { client, requests } = await scriptedApi(t, () => {})
  const store = apiLeaseStore(client, 'ns', 'operator')
  const stop = new AbortController()
  const waiting = [store.read(stop.signal), store.write(spec, undefined, stop.signal), store.write(spec, lease, stop.signal)]
  const settled = Promise.allSettled(waiting)
  stop.abort(new Error('stopped'))
  for (const { status } of await settled) t.equal(status, 'rejected')
  t.ok(requests.length <= 3)
})
