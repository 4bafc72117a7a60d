import { Agent } from 'node:https'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { watch } from '../../src/cluster/collection.ts'
import { exchange, parseJson, readBody } from '../../src/cluster/http-exchange.ts'
import { loadConnection } from '../../src/cluster/kubeconfig.ts'
import { resourcePath } from '../../src/cluster/resource-path.ts'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { labelSelector, modelSide, play, told, type Side } from '../simulation/agreement.ts'
import { history, renderedForms, storageClasses } from '../simulation/histories.ts'
import { ModelApiServer } from '../simulation/model/api-server.ts'
import type { ModelKind } from '../simulation/model/kind.ts'
import { modelKinds } from '../simulation/model/kinds.ts'
import { selected } from '../simulation/model/selectors.ts'
import { at, isTree, type Tree } from '../simulation/model/tree.ts'
import { eventOf } from '../simulation/model/watch-events.ts'
import { Chance } from '../simulation/random.ts'

// The simulated API server answers like the real one: both process the same writes. The test compares the answers, the objects with the
// owners of their fields, and the watch events.

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const histories = Number(process.env.SIMULATION_HISTORIES ?? 40)
const length = 20
const watched = [modelKinds.configMap, modelKinds.service, modelKinds.statefulSet, modelKinds.secret, modelKinds.perconaCluster]

const binaries = await binariesOrSkip(t)
if (binaries) {
  const plane = await startControlPlane(t, binaries, { crds: [file('../../manifests/crd.yaml'), file('percona-crd.yaml')] })
  const connection = await loadConnection({ file: plane.kubeconfig })
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => { agent.destroy() })
  const real: Side = async ({ method, path, query = {}, body, contentType = 'application/json' }) => {
    const options = { ...await connection.requestOptions(), agent, method, headers: { 'Content-Type': contentType } }
    const url = new URL(`${path}?${new URLSearchParams(query).toString()}`, connection.server)
    const reply = await exchange(url, options, body === undefined ? undefined : JSON.stringify(body))
    const answer = parseJson(await readBody(reply, 1e7))
    return { status: reply.statusCode ?? 0, body: isTree(answer) ? answer : {} }
  }
  const api = new ModelApiServer(() => new Date(1_700_000_000_000))
  const model = modelSide(api)
  for (const side of [real, model]) {
    for (const object of storageClasses) await side({ method: 'POST', path: resourcePath(modelKinds.storageClass), contentType: 'application/json', body: object })
  }
  const starts = new Map<ModelKind, string>()
  for (const kind of watched) {
    // A CRD that was installed just now is busy at first.
    const list = await eventually(async () => {
      const { status, body } = await real({ method: 'GET', path: resourcePath(kind) })
      return status === 200 && body
    }, `a list of ${kind.resource}`)
    starts.set(kind, String(at(list, 'metadata', 'resourceVersion')))
  }
  const ourStart = api.store.version

  await t.test('the same answers, objects and owners', async t => {
    const seen = new Map<string, number>()
    for (let seed = 1; seed <= histories; seed++) {
      const steps = history(new Chance(seed), `h${seed}`, await renderedForms(`h${seed}`), length)
      const [expected, found] = [await play(steps, real), await play(steps, model)]
      for (const { status, answer } of expected) {
        const outcome = `${status} ${String(at(answer, 'reason') ?? '')}`
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
      }
      const first = expected.findIndex((each, index) => !isDeepStrictEqual(found[index], each))
      t.strictSame(found[first], expected[first], `history ${seed}: ${steps[0]?.kind.kind}`)
    }
    const writes = [...seen.values()].reduce((sum, count) => sum + count, 0)
    t.ok(writes >= 800, `${writes} writes: ${[...seen].sort().map(([outcome, count]) => `${outcome}: ${count}`).join(', ')}`)
    t.ok(['200', '201', '404 NotFound', '409 AlreadyExists', '409 Conflict', '422 Invalid', '403 Forbidden'].every(outcome => [...seen.keys()].some(key => key.trim() === outcome)))
  })

  await t.test('the same events, in the same order', async t => {
    const realEvents = async (kind: ModelKind): Promise<Tree[]> => {
      const events: Tree[] = []
      const options = {
        resourceVersion: starts.get(kind) ?? '', timeoutSeconds: 1, idleTimeoutMs: 30_000, clock: systemClock, signal: new AbortController().signal, onOpen: () => {},
      }
      for await (const event of watch(plane.client, { path: resourcePath(kind), labelSelector }, options)) events.push({ ...event })
      return events
    }
    for (const kind of watched) {
      const matches = selected(labelSelector, null, '')
      const ours = (api.store.since(ourStart) ?? []).flatMap(change => ({ ...eventOf(change, { kind, matches }) }))
      const expected = told(await realEvents(kind))
      t.strictSame(told(ours.filter(({ type }) => type !== undefined)), expected, `${expected.length} events of a watch on ${kind.resource}`)
    }
  })
}
