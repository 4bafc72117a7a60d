import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../src/clock.ts'
import { createRequest, mergePatchRequest } from '../../src/cluster/api-requests.ts'
import { watch } from '../../src/cluster/collection.ts'
import { kinds, type KindName } from '../../src/cluster/kinds.ts'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { resourcePath } from '../../src/cluster/resource-path.ts'
import { createEvent } from '../../src/controller/event-recorder.ts'
import { fieldManager, finalizer } from '../../src/dittoserver/api.ts'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'
import { renderOffline } from '../../src/render/offline.ts'
import { findBinaries } from '../../test/control-plane/binaries.ts'
import { startControlPlane } from '../../test/control-plane/control-plane.ts'
import { serverOf } from '../../test/e2e/kubectl-user.ts'
import { startOperator } from '../../test/e2e/operator.ts'
import { median, report, type Figure } from '../figures.ts'
import { imageFlags, makeBundle } from '../image.ts'
import { cpuOf, rssOf } from '../process-figures.ts'

/**
 * Creates DittoServers on a new, real API server. Measures the seconds until each server has its StatefulSet, and the CPU seconds and
 * memory of the operator, run as in the image. The baseline is measured in the same run on another new API server: a program makes the
 * same writes, but knows in advance what to write. It watches nothing, and it works on the same number of servers concurrently.
 * usage: node bench/reconcile/index.ts [servers] [concurrency] [rounds]
 */
const [servers = 300, concurrency = 8, rounds = 1] = process.argv.slice(2).map(Number)
const repository = fileURLToPath(new URL('../..', import.meta.url))
const namespace = 'default'
const serversPath = resourcePath(kinds.DittoServer, { namespace })

const binaries = await findBinaries()
if ('unavailable' in binaries) throw new Error(binaries.unavailable)
type Scope = Parameters<typeof startControlPlane>[0]
type ControlPlane = Awaited<ReturnType<typeof startControlPlane>>

const folder = await mkdtemp(join(tmpdir(), 'bench-reconcile-'))
try {
  const program = [...await imageFlags(), await makeBundle(folder)]
  const ratios: number[] = []
  const figures: Figure[] = []
  for (let round = 1; round <= rounds; round++) {
    const baseline = await onFreshControlPlane(measureBareWrites)
    const { seconds, cpu, rss, idle } = await onFreshControlPlane((plane, scope) => measureOperator(plane, scope, program))
    ratios.push(seconds / baseline)
    if (round === 1) {
      figures.push(
        { what: `${servers} servers to ${servers} StatefulSets`, value: seconds, unit: 's', baseline: { what: 'the same writes', value: baseline }, goal: 1.25 },
        { what: 'CPU per server made', value: cpu * 1000 / servers, unit: 'ms', goal: 6 },
      )
    }
    console.log(`bare writes ${baseline.toFixed(2)} s   operator ${seconds.toFixed(2)} s, CPU ${cpu.toFixed(2)} s, RSS ${rss.toFixed(0)} MiB (${idle.toFixed(0)} idle)   ratio ${(seconds / baseline).toFixed(2)}`)
  }
  console.log(`ratio of time for ${servers} servers: median ${median(ratios).toFixed(2)} of ${rounds}`)
  report(figures)
} finally {
  await rm(folder, { recursive: true })
}

async function onFreshControlPlane<Value> (measure: (plane: ControlPlane, scope: Scope) => Promise<Value>): Promise<Value> {
  if ('unavailable' in binaries) throw new Error(binaries.unavailable)
  const undo: (() => unknown)[] = []
  const scope = { teardown: (handler: () => unknown) => { undo.unshift(handler) } } as unknown as Scope
  try {
    return await measure(await startControlPlane(scope, binaries, { crds: [join(repository, 'manifests/crd.yaml')] }), scope)
  } finally {
    for (const handler of undo) await handler()
  }
}

/** Seconds for writing all servers, each with its finalizer, event, rendered objects and status. */
async function measureBareWrites ({ client }: ControlPlane): Promise<number> {
  const kindNames = Object.keys(kinds) as KindName[]
  const write = async (index: number) => {
    const { server } = readDittoServer(await client.request<KubernetesObject>(createRequest(serversPath, serverOf(`server-${index}`) as KubernetesObject)))
    const path = resourcePath(kinds.DittoServer, { namespace, name: server.metadata.name })
    await client.request(mergePatchRequest(path, { metadata: { finalizers: [finalizer] } }, fieldManager))
    const created = { type: 'Normal', reason: 'Created', action: 'Create', note: 'DittoServer created' } as const
    await client.request(createEvent(server, created, `${server.metadata.name}.created`, new Date()))
    for (const object of await renderOffline(server, () => Promise.resolve(undefined))) {
      const kind = kindNames.find(name => name === object.kind)
      if (kind) await client.request(createRequest(resourcePath(kinds[kind], { namespace }), object))
    }
    await client.request(mergePatchRequest(`${path}/status`, { status: { phase: 'Pending', observedGeneration: 1 } }, fieldManager))
  }
  return await timed(async () => await parallel(concurrency, servers, write))
}

async function measureOperator ({ client, kubeconfig }: ControlPlane, scope: Scope, program: readonly string[]) {
  const operator = await startOperator(scope, ['--kubeconfig', kubeconfig, '--no-webhook', '--concurrency', String(concurrency), '--log-level', 'warn'], {}, program)
  await operator.ready()
  const leads = async () => /^leader_election_master_status\{.*\} 1$/m.test((await operator.get('/metrics')).text)
  while (!await leads()) await delay(100)
  const before = await figuresOf(operator.child.pid)
  const { promise: everyStatefulSet, resolve, reject } = Promise.withResolvers<void>()
  // StatefulSets are counted with a watch. Repeated lists would load the API server more than the operator does.
  const over = new AbortController()
  void (async () => {
    const seen = new Set<string>()
    const metadataOnly = { path: resourcePath(kinds.StatefulSet, { namespace }), metadataOnly: true }
    const options = { resourceVersion: '', timeoutSeconds: 600, idleTimeoutMs: 600_000, signal: over.signal, clock: systemClock, onOpen: () => {} }
    for await (const event of watch(client, metadataOnly, options)) {
      if (event.type !== 'BOOKMARK') seen.add(event.object.metadata.name)
      if (seen.size >= servers) return resolve()
    }
  })().catch((error: unknown) => { if (!over.signal.aborted) reject(error as Error) })
  const seconds = await timed(async () => {
    await parallel(16, servers, async index =>
      await client.request(createRequest(serversPath, serverOf(`server-${index}`) as KubernetesObject)))
    await everyStatefulSet
  })
  over.abort()
  const after = await figuresOf(operator.child.pid)
  for (const line of operator.said) console.log(line)
  return { seconds, cpu: after.cpu - before.cpu, rss: after.rss, idle: before.rss }
}

/** Runs `work` `count` times, with as many concurrent calls as `connections`. */
async function parallel (connections: number, count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0
  await Promise.all(Array.from({ length: connections }, async () => {
    while (next < count) await work(next++)
  }))
}

async function timed (work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}

async function figuresOf (pid = 0): Promise<{ cpu: number, rss: number }> {
  return { cpu: await cpuOf(pid), rss: await rssOf(pid) }
}
