import t, { type Test } from 'tap'
import { defaultInstallation, spread, withComponents, type Installation } from '../../src/manifests/install/installation.ts'
import { manifestsOf } from '../../src/manifests/install/parts.ts'
import { binariesOrSkip, eventually, startControlPlane } from '../control-plane/control-plane.ts'
import { register } from '../node/registration.ts'
import { kubectlUser } from './kubectl-user.ts'

// Where the real scheduler puts three replicas of the component `ha`: docs/install.md, "High availability". Nothing runs them.

interface Pod {
  readonly metadata: { readonly name: string }
  readonly spec: { readonly nodeName?: string }
}

const namespace = 'dittofs-system'
const capacity = { cpu: '4', memory: '8Gi', pods: '50' }
const needed: ReadonlySet<string> = new Set(['Namespace', 'ServiceAccount', 'Deployment', 'PodDisruptionBudget'])
const ha = withComponents(['ha'])

await t.test('three replicas', async t => {
  const binaries = await binariesOrSkip(t, { controllerManager: true, scheduler: true })
  if (!binaries) return
  const plane = await startControlPlane(t, binaries, { controllerManager: true, scheduler: true })
  const { run } = kubectlUser(plane)
  const nodes = new AbortController()
  t.teardown(() => { nodes.abort() })

  const pods = async () =>
    (JSON.parse(await run(['get', 'pods', '-n', namespace, '-o', 'json'])) as { items: Pod[] }).items
  /** How many are on each node, most first; the last is how many are on none. */
  const placed = async () => {
    const names = (await pods()).map(({ spec: { nodeName = '' } }) => nodeName)
    const counts = [...Map.groupBy(names.filter(Boolean), name => name).values()].map(({ length }) => length).toSorted((a, b) => b - a)
    return `${counts.join(' ')}, ${names.filter(name => name === '').length} waiting`
  }
  const install = async (installation: Installation) => {
    const items = manifestsOf(installation).map(({ manifest }) => manifest).filter(({ kind }) => needed.has(kind))
    await run(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
  }
  /** From the top, because remaining owners would recreate their pods. */
  const remove = async () => {
    for (const kind of ['deployments', 'replicasets']) await run(['delete', kind, '-n', namespace, '--all', '--cascade=orphan'])
    await run(['delete', 'pods', '-n', namespace, '--all', '--force', '--grace-period=0'])
  }
  const isPlaced = async (t: Test, installation: Installation, wanted: string, how: string) => {
    await install(installation)
    let last = ''
    await eventually(async () => (last = await placed()) === wanted, how, 20_000).catch(() => {})
    t.equal(last, wanted, how)
  }
  for (const name of ['a', 'b', 'c']) await register(plane.client, name, capacity, nodes.signal)
  await run(['wait', '--for=condition=Ready', 'nodes', '--all', '--timeout=30s'])

  await t.test('on three nodes: one on each', async t => {
    await isPlaced(t, ha, '1 1 1, 0 waiting', 'three nodes')
    await remove()
  })

  await t.test('on two nodes, with another one tainted or drained', async t => {
    await run(['taint', 'node', 'c', 'dedicated=gpu:NoSchedule'])
    await isPlaced(t, ha, '2 1, 0 waiting', 'a node of others')
    await remove()
    // The manifests set the fields that are not set here.
    const counting = spread('DoNotSchedule').map(({ nodeTaintsPolicy, ...constraint }) => constraint)
    await isPlaced(t, { ...ha, topologySpreadConstraints: counting }, '1 1, 1 waiting', 'if the tainted node counted, the third would not fit')
    await remove()
    await run(['taint', 'node', 'c', 'dedicated-'])
    await run(['cordon', 'c'])
    await isPlaced(t, ha, '2 1, 0 waiting', 'a node that is drained')
    await remove()
  })

  await t.test('on four nodes, one of them tainted: one on each of the others', async t => {
    await register(plane.client, 'd', capacity, nodes.signal)
    await run(['wait', '--for=condition=Ready', 'node/d', '--timeout=30s'])
    await run(['taint', 'node', 'd', 'dedicated=gpu:NoSchedule'])
    await run(['uncordon', 'c'])
    await isPlaced(t, ha, '1 1 1, 0 waiting', 'three of four nodes')
    t.notOk((await pods()).some(({ spec: { nodeName } }) => nodeName === 'd'))
    await remove()
    await run(['cordon', 'c'])
  })

  await t.test('on one node: all', async t => {
    await run(['cordon', 'b'])
    await isPlaced(t, ha, '3, 0 waiting', 'one node')
    await remove()
    await isPlaced(t, defaultInstallation, '2, 0 waiting', 'and two of the default')
    await remove()
    await run(['uncordon', 'b', 'c'])
  })

  await t.test('a drain evicts one replica at a time', async t => {
    await isPlaced(t, ha, '1 1 1, 0 waiting', 'three nodes')
    const [first, second] = await pods()
    const ready = JSON.stringify({ status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } })
    for (const { metadata: { name } } of await pods()) {
      await run(['patch', 'pod', name, '-n', namespace, '--subresource=status', '--type=merge', '-p', ready])
    }
    const allowed = async () => await run(['get', 'pdb', '-n', namespace, 'dittofs-operator', '-o', 'jsonpath={.status.disruptionsAllowed}'])
    await eventually(async () => await allowed() === '1', 'the budget knows its pods')
    const evict = async (pod: Pod | undefined) => {
      const metadata = { name: pod?.metadata.name, namespace }
      const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata }
      return (await plane.request('POST', `/api/v1/namespaces/${namespace}/pods/${metadata.name}/eviction`, body)).status
    }
    t.strictSame([await evict(first), await evict(second)], [201, 429])
  })
})
