import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createRequest } from '../../src/cluster/api-requests.ts'
import { kinds } from '../../src/cluster/kinds.ts'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { resourcePath } from '../../src/cluster/resource-path.ts'
import { findBinaries } from '../../test/control-plane/binaries.ts'
import { startControlPlane, type ControlPlane } from '../../test/control-plane/control-plane.ts'
import { serverOf } from '../../test/e2e/kubectl-user.ts'
import { startOperator } from '../../test/e2e/operator.ts'
import { report as reportFigures, type Figure } from '../figures.ts'
import { imageFlags, makeBundle } from '../image.ts'
import { cpuOf, rssOf } from '../process-figures.ts'

/**
 * Runs the operator on a real API server with many DittoServers, and with many Secrets that no DittoServer uses. For each phase it prints
 * seconds, CPU seconds, memory, requests, writes, and the longest stall of the event loop. In the first phase, the caches are filled. In
 * the second phase, all servers are reconciled for the first time. In the third phase, a new process finds everything up to date and
 * writes nothing.
 * usage: node bench/scale/index.ts [servers] [secrets] [bytes of each Secret]
 */
const [servers = 10_000, secrets = 30_000, bytes = 4_096] = process.argv.slice(2).map(Number)
const repository = fileURLToPath(new URL('../..', import.meta.url))
const namespace = 'default'
const connections = 16
/** Seconds. The operator has settled if it has no work and writes nothing for this time. */
const quiet = 5

const binaries = await findBinaries()
if ('unavailable' in binaries) throw new Error(binaries.unavailable)
const undo: (() => unknown)[] = []
const scope = { teardown: (handler: () => unknown) => { undo.unshift(handler) } } as unknown as Parameters<typeof startControlPlane>[0]
const folder = await mkdtemp(join(tmpdir(), 'bench-scale-'))
const say = (line: string) => { process.stdout.write(`${line}\n`) }

type Operator = Awaited<ReturnType<typeof startOperator>>

/** The figures of the process. Each read of the metrics resets the longest stall. */
async function figuresOf ({ child: { pid = 0 }, get }: Operator) {
  const { text } = await get('/metrics')
  const sum = (name: RegExp) => [...text.matchAll(new RegExp(`^${name.source} (\\S+)$`, 'gm'))]
    .reduce((total, match) => total + Number(match.at(-1)), 0)
  return {
    at: performance.now() / 1000,
    cpu: await cpuOf(pid),
    rss: await rssOf(pid),
    stall: sum(/nodejs_eventloop_lag_max_seconds/) * 1000,
    requests: sum(/rest_client_requests_total\{.*\}/),
    // PUT is not counted, because it renews the Lease.
    writes: sum(/rest_client_requests_total\{.*method="(?:POST|PATCH|DELETE)".*\}/),
    waiting: sum(/workqueue_depth\{.*\}/) + sum(/controller_runtime_active_workers\{.*\}/),
    passes: sum(/controller_runtime_reconcile_total\{.*result="success".*\}/),
  }
}

type Figures = Awaited<ReturnType<typeof figuresOf>>

function report (phase: string, before: Figures, after: Figures, stall: number): void {
  const [seconds, cpu] = [after.at - before.at, after.cpu - before.cpu]
  const [requests, writes] = [after.requests - before.requests, after.writes - before.writes]
  say(`${phase.padEnd(44)} ${seconds.toFixed(1).padStart(7)} s  CPU ${cpu.toFixed(1).padStart(6)} s  RSS ${after.rss.toFixed(0).padStart(5)} MiB  ` +
    `${requests} requests, ${writes} writes, longest stall ${stall.toFixed(0)} ms`)
}

/** Waits until the operator has no work left. The measured time ends with the last activity. */
async function settled (operator: Operator, passes: number, began: Figures): Promise<{ figures: Figures, stall: number }> {
  let [last, stall, still] = [began, 0, 0]
  let end = began
  while (still < quiet) {
    await delay(1_000)
    const now = await figuresOf(operator)
    stall = Math.max(stall, now.stall)
    const isStill = now.passes >= passes && now.waiting === 0 && now.writes === last.writes
    still = isStill ? still + 1 : 0
    if (!isStill) end = now
    last = now
  }
  return { figures: { ...last, at: end.at }, stall }
}

async function parallel (count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0
  await Promise.all(Array.from({ length: connections }, async () => {
    while (next < count) await work(next++)
  }))
}

async function populate ({ client }: ControlPlane): Promise<void> {
  const data = { value: Buffer.alloc(Math.floor(bytes * 3 / 4), 1).toString('base64') }
  const last = JSON.stringify({ apiVersion: 'v1', kind: 'Secret', data })
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': last }
  await parallel(secrets, async index => await client.request(createRequest(resourcePath(kinds.Secret, { namespace }), {
    apiVersion: 'v1', kind: 'Secret', metadata: { name: `foreign-${index}`, annotations }, data,
  } as unknown as KubernetesObject)))
  await parallel(servers, async index =>
    await client.request(createRequest(resourcePath(kinds.DittoServer, { namespace }), serverOf(`server-${index}`) as KubernetesObject)))
}

async function start (plane: ControlPlane, program: readonly string[]) {
  const operator = await startOperator(scope, ['--kubeconfig', plane.kubeconfig, '--no-webhook', '--log-level', 'info'], {}, program)
  let stall = 0
  while (!operator.lines.some(({ msg }) => msg === 'reconciling')) {
    await delay(50)
    if ((await operator.get('/livez')).status === 200) stall = Math.max(stall, (await figuresOf(operator)).stall)
  }
  return { operator, stall }
}

const results: Figure[] = []
const nothing: Figures = { at: 0, cpu: 0, rss: 0, stall: 0, requests: 0, writes: 0, waiting: 0, passes: 0 }
try {
  const program = [...await imageFlags(), await makeBundle(folder)]
  // Each Service needs an address. A /24 range would be enough for only 64 servers.
  const plane = await startControlPlane(scope, binaries, {
    crds: [join(repository, 'manifests/crd.yaml')], apiServerFlags: { 'service-cluster-ip-range': '10.64.0.0/12' },
  })
  const made = performance.now()
  await populate(plane)
  say(`${servers} servers and ${secrets} Secrets of ${bytes} bytes made in ${((performance.now() - made) / 1000).toFixed(0)} s`)

  for (const phase of ['the first pass over all', 'a new process: a pass over all, settled']) {
    const began = performance.now() / 1000
    const { operator, stall } = await start(plane, program)
    const leads = await figuresOf(operator)
    report('the caches fill, the lead is taken', { ...nothing, at: began }, leads, Math.max(stall, leads.stall))
    const { figures, stall: most } = await settled(operator, servers, leads)
    report(phase, leads, figures, most)
    const settles = phase !== 'the first pass over all'
    results.push(
      { what: `memory, ${servers} servers, ${secrets} foreign Secrets: ${phase}`, value: figures.rss, unit: 'MiB' },
      { what: `CPU: ${phase}`, value: figures.cpu - leads.cpu, unit: 's', ...settles ? { goal: 2 * servers / 3_000 } : {} },
      ...settles ? [{ what: 'writes to servers that are settled', value: figures.writes - leads.writes, unit: 'writes', goal: 0 }] : [],
    )
    for (const line of operator.said.filter(text => /"level":"(warn|error)"/.test(text)).slice(0, 5)) say(line)
    operator.child.kill('SIGTERM')
    await operator.exited
  }
  reportFigures(results)
} finally {
  for (const handler of undo) await handler()
  await rm(folder, { recursive: true })
}
