import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import { createRequest } from '../../src/cluster/api-requests.ts'
import { watch } from '../../src/cluster/collection.ts'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { findBinaries } from '../../test/control-plane/binaries.ts'
import { startControlPlane } from '../../test/control-plane/control-plane.ts'
import { serverOf } from '../../test/e2e/kubectl-user.ts'
import { startOperator } from '../../test/e2e/operator.ts'

/**
 * DittoServers on a fresh, real API server: seconds until each has its StatefulSet, and CPU seconds and memory of the
 * operator. The baseline, measured in the same run: as many ConfigMaps as an operator must write objects, created one after
 * the other on as many connections as it works on servers. It knows nothing, reads nothing and watches nothing.
 * usage: node bench/reconcile/index.ts [servers] [concurrency]
 */
const [servers = 300, concurrency = 8] = process.argv.slice(2).map(Number)

/** Writes for one server: finalizer, signing key, ConfigMap, three Services, StatefulSet, status, event. */
const writesPerServer = 9

const undo: (() => unknown)[] = []
const scope = { teardown: (handler: () => unknown) => { undo.unshift(handler) } } as unknown as Parameters<typeof startControlPlane>[0]
const binaries = await findBinaries()
if ('unavailable' in binaries) throw new Error(binaries.unavailable)
try {
  const plane = await startControlPlane(scope, binaries, { crds: [fileURLToPath(new URL('../../manifests/crd.yaml', import.meta.url))] })
  const create = async (collection: string, object: object) =>
    await plane.client.request(createRequest(collection, object as KubernetesObject))
  const parallel = async (connections: number, count: number, work: (index: number) => Promise<unknown>) => {
    let next = 0
    await Promise.all(Array.from({ length: connections }, async () => {
      while (next < count) await work(next++)
    }))
  }

  const baseline = await timed(async () => await parallel(concurrency, servers * writesPerServer, async index =>
    await create('/api/v1/namespaces/default/configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `baseline-${index}` }, data: { index: `${index}` } })))

  const operator = await startOperator(scope, ['--kubeconfig', plane.kubeconfig, '--no-webhook', '--concurrency', String(concurrency), '--log-level', 'warn'])
  await operator.ready()
  const leads = async () => /^leader_election_master_status\{.*\} 1$/m.test((await operator.get('/metrics')).text)
  while (!await leads()) await delay(100)
  const before = await figuresOf(operator.child.pid)
  const { promise: everyStatefulSet, resolve } = Promise.withResolvers<void>()
  // As a watch, since lists of what is there already would keep the API server busier than the operator does.
  const over = new AbortController()
  void (async () => {
    const seen = new Set<string>()
    const metadataOnly = { path: '/apis/apps/v1/namespaces/default/statefulsets', metadataOnly: true }
    const options = { resourceVersion: '', timeoutSeconds: 600, idleTimeoutMs: 600_000, signal: over.signal, onOpen: () => {} }
    for await (const event of watch(plane.client, metadataOnly, options)) {
      if (event.type !== 'BOOKMARK') seen.add(event.object.metadata.name)
      if (seen.size >= servers) return resolve()
    }
  })().catch((error: unknown) => { if (!over.signal.aborted) throw error })
  const collection = '/apis/dittofs.dittofs.com/v1alpha1/namespaces/default/dittoservers'
  const seconds = await timed(async () => {
    await parallel(16, servers, async index => await create(collection, serverOf(`server-${index}`)))
    await everyStatefulSet
  })
  over.abort()
  const after = await figuresOf(operator.child.pid)
  for (const line of operator.said) console.log(line)
  console.log(`baseline: ${servers * writesPerServer} bare creates  ${baseline.toFixed(2)} s`)
  console.log(`operator: ${servers} servers with their StatefulSets  ${seconds.toFixed(2)} s   CPU ${(after.cpu - before.cpu).toFixed(2)} s   RSS ${after.rss.toFixed(0)} MiB (${before.rss.toFixed(0)} idle)`)
  console.log(`ratio of time: ${(seconds / baseline).toFixed(2)}`)
} finally {
  for (const handler of undo) await handler()
}

async function timed (work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: utime and stime in ticks of 10 ms; VmRSS in KiB. */
async function figuresOf (pid = 0): Promise<{ cpu: number, rss: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const [utime = 0, stime = 0] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14).map(Number)
  const rss = Number(/^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  return { cpu: (utime + stime) / 100, rss }
}
