import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { findBinaries } from '../../test/control-plane/binaries.ts'
import { eventually, startControlPlane, type ControlPlane } from '../../test/control-plane/control-plane.ts'
import { median, quantile, report, type Figure } from '../figures.ts'
import { imageFlags, makeBundle } from '../image.ts'
import { cpuOf, rssOf } from '../process-figures.ts'
import { load, type Load } from './load.ts'
import { reviews } from '../reviews.ts'
import { makeKeyPair, startBareServer, startEmptyNode, startOperator, type Subject } from './subjects.ts'

/**
 * Compares the operator with a bare node:https server that parses and answers the same bodies. The operator is what users run: the bundle
 * with the flags of the image, connected to a real API server, with its reconcile loop and its watches active. wrk generates the load.
 * Rounds alternate between the two servers, so that a noisy machine disturbs both equally. For both servers, the lowest value of all rounds
 * is printed: other programs on the machine can only increase a value, and they increase processor time less than latency. For start times,
 * the lower quartile is printed.
 */
const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    /** Duration of one round, in seconds. */
    seconds: { type: 'string', default: '2' },
    /** Number of reviews on 200 connections in the memory measurement; 1000000 takes some minutes. */
    reviews: { type: 'string', default: '150000' },
    starts: { type: 'string', default: '9' },
    /** Path of an existing bundle. */
    program: { type: 'string' },
    /** Flags of Node that replace those of the image, separated by spaces. */
    'node-flags': { type: 'string' },
  },
})
const [rounds = 0, seconds = 0, mostReviews = 0, starts = 0] = [flags.rounds, flags.seconds, flags.reviews, flags.starts].map(Number)
const repository = fileURLToPath(new URL('../..', import.meta.url))
const say = (line: string) => { process.stdout.write(`${line}\n`) }

const undo: (() => unknown)[] = []
const scope = { teardown: (handler: () => unknown) => { undo.unshift(handler) } } as unknown as Parameters<typeof startControlPlane>[0]
const kept = <Kept extends Subject>(subject: Kept): Kept => {
  undo.unshift(subject.stop)
  return subject
}

const manifests = `
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast}
provisioner: example.com/none
allowVolumeExpansion: true
---
apiVersion: v1
kind: Secret
metadata: {name: s3, namespace: default}
stringData: {accessKeyId: id, secretAccessKey: key, endpoint: 'https://s3.example.com'}
---
# Of Secrets that no server names only some are looked up in a second.
apiVersion: dittofs.dittofs.com/v1alpha1
kind: DittoServer
metadata: {name: demo, namespace: default}
spec:
  storage: {metadataSize: 10Gi, storageClassName: fast}
  s3: {credentialsSecretRef: {secretName: s3}}
`

async function post (port: number, path: string, body: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const options = { host: '127.0.0.1', port, path, method: 'POST', rejectUnauthorized: false, headers }
  const outgoing = request(options, reply => { text(reply).then(resolve, reject) })
  outgoing.on('error', reject)
  outgoing.end(body)
  return await promise
}

/** Checks that each review gets the answer that its name promises. Otherwise the figures would measure something else. */
async function checkAnswers ({ port }: Subject): Promise<void> {
  const warnings = async (body: string) => {
    const { response } = JSON.parse(await post(port, '/validate?timeout=5s', body)) as { response: { allowed: boolean, warnings?: string[] } }
    if (!response.allowed) throw new Error(`refused: ${JSON.stringify(response)}`)
    return response.warnings ?? []
  }
  const expected = { withoutFinding: 0, oneWarning: 1, large: 0 }
  for (const name of ['withoutFinding', 'oneWarning', 'large'] as const) {
    const found = await warnings(reviews[name])
    if (found.length !== expected[name]) throw new Error(`${name}: ${found.join('; ')}`)
  }
}

interface Case { readonly what: string, readonly path: string, readonly body: string, readonly connections: number, readonly goal?: number }

/** Measures one round: microseconds of processor time per request, and the latencies. */
async function measured ({ pid, port }: Subject, { path, body, connections }: Case): Promise<Load & { readonly cpu: number }> {
  const before = await cpuOf(pid)
  const result = await load({ port, path, body }, connections, seconds)
  return { ...result, cpu: (await cpuOf(pid) - before) * 1e6 / result.requests }
}

async function throughput (operator: Subject, bare: Subject, cases: readonly Case[]): Promise<Figure[]> {
  type Results = Awaited<ReturnType<typeof measured>>[]
  const results = cases.map(measure => ({ measure, operator: [] as Results, bare: [] as Results }))
  for (let round = 0; round < rounds; round++) {
    for (const result of results) {
      const run = async (of: 'operator' | 'bare') => { result[of].push(await measured(of === 'operator' ? operator : bare, result.measure)) }
      // The server that goes first alternates as well.
      for (const of of round % 2 ? ['operator', 'bare'] as const : ['bare', 'operator'] as const) await run(of)
    }
  }
  return results.flatMap(({ measure: { what, connections, goal }, operator, bare }): Figure[] => {
    const perRound = operator.map(({ cpu }, round) => cpu / (bare[round]?.cpu ?? NaN))
    const value = Math.min(...operator.map(({ cpu }) => cpu))
    const least = (of: readonly Load[]) => Math.min(...of.map(({ p99 }) => p99))
    say(`${what}, ${connections} connections: ratios of the rounds ${perRound.map(ratio => ratio.toFixed(2)).join(' ')}; ` +
      `${median(operator.map(({ requests, seconds: took }) => requests / took)).toFixed(0)} requests/s, bare ${median(bare.map(({ requests, seconds: took }) => requests / took)).toFixed(0)}`)
    const baseline = 'bare node:https'
    return [
      ...goal === undefined ? [] : [{ what: `CPU per ${what}`, value, unit: 'µs', baseline: { what: baseline, value: Math.min(...bare.map(({ cpu }) => cpu)) }, goal }],
      ...what.includes('/validate, no finding')
        ? [{ what: `p99 of ${what}, ${connections} connections`, value: least(operator), unit: 'ms', baseline: { what: baseline, value: least(bare) }, goal: 1.5 }]
        : [],
    ]
  })
}

/** Memory in MiB in the last quarter of a load of reviews on 200 connections, and its ratio to the memory in the third quarter. */
async function memoryUnderLoad ({ pid, port, name }: Subject, body: string) {
  const samples: number[] = []
  let done = 0
  const over = new AbortController()
  const sampling = (async () => {
    while (!over.signal.aborted) {
      samples.push(await rssOf(pid))
      await delay(250)
    }
  })()
  let rate = 5_000
  while (done < mostReviews) {
    const span = Math.max(1, Math.min(20, Math.ceil((mostReviews - done) / rate)))
    const { requests, seconds: took } = await load({ port, path: '/validate?timeout=5s', body }, 200, span)
    done += requests
    rate = requests / took
  }
  over.abort()
  await sampling
  const quarter = Math.floor(samples.length / 4)
  const third = median(samples.slice(2 * quarter, 3 * quarter))
  const fourth = median(samples.slice(3 * quarter))
  say(`${name}: memory under load, ${done} reviews: ${[0.1, 0.25, 0.5, 0.75, 1].map(part => (samples[Math.floor((samples.length - 1) * part)] ?? 0).toFixed(0)).join(', ')} MiB at 10, 25, 50, 75, 100 %; most ${Math.max(...samples).toFixed(0)}`)
  return { rss: fourth, growth: fourth / third, done }
}

async function largeReview (operator: Subject, bare: Subject): Promise<Figure[]> {
  const body = reviews.large
  const bytes = Buffer.from(body)
  const count = 15
  const parse: number[] = []
  const cost = { operator: [] as number[], bare: [] as number[] }
  for (let index = 0; index < count; index++) {
    for (const [of, { pid, port }] of [['bare', bare], ['operator', operator]] as const) {
      const before = await cpuOf(pid)
      await post(port, '/validate?timeout=5s', body)
      cost[of].push((await cpuOf(pid) - before) * 1000)
    }
    const before = process.cpuUsage()
    JSON.parse(bytes.toString())
    const { user, system } = process.cpuUsage(before)
    parse.push((user + system) / 1000)
  }
  const value = median(cost.operator)
  return [
    { what: 'CPU of one review of 3 MB + 3 MB', value, unit: 'ms', baseline: { what: 'JSON.parse of the bytes', value: median(parse) }, goal: 2 },
    { what: 'the same, beside the bare server', value, unit: 'ms', baseline: { what: 'bare node:https', value: median(cost.bare) } },
  ]
}

async function startTimes (begin: () => Promise<Awaited<ReturnType<typeof startOperator>>>): Promise<Figure> {
  const own: number[] = []
  const empty: number[] = []
  for (let index = 0; index < starts; index++) {
    const started = performance.now()
    execFileSync(process.execPath, ['-e', '0'])
    empty.push(performance.now() - started)
    const operator = await begin()
    own.push(operator.startMs)
    await operator.stop()
  }
  say(`start to ready: ${own.map(ms => ms.toFixed(0)).join(' ')} ms; node -e 0: ${empty.map(ms => ms.toFixed(0)).join(' ')} ms`)
  return { what: 'start to ready', value: quantile(own, 0.25), unit: 'ms', baseline: { what: 'node -e 0', value: quantile(empty, 0.25) }, goal: 8 }
}

/** Memory of a process that is the leader and has nothing to do. */
async function idleMemory (operator: Subject & { healthPort: number }): Promise<Figure> {
  const leads = async () => /^leader_election_master_status\{.*\} 1$/m.test(await (await fetch(`http://127.0.0.1:${operator.healthPort}/metrics`)).text())
  await eventually(leads, 'it leads', 60_000)
  const empty = kept(await startEmptyNode())
  await delay(10_000)
  const value = await rssOf(empty.pid)
  await empty.stop()
  return { what: 'memory, idle', value: await rssOf(operator.pid), unit: 'MiB', baseline: { what: 'empty Node', value }, goal: 1.9 }
}

async function prepare (plane: ControlPlane): Promise<void> {
  const { code, stderr } = await plane.kubectl(['apply', '-f', '-'], manifests)
  if (code !== 0) throw new Error(stderr)
}

async function main (folder: string): Promise<void> {
  const binaries = await findBinaries()
  if ('unavailable' in binaries) throw new Error(binaries.unavailable)
  const nodeFlags = flags['node-flags']?.split(' ').filter(Boolean) ?? await imageFlags()
  const [program, keyPair, plane] = [
    flags.program ?? await makeBundle(folder), await makeKeyPair(folder), await startControlPlane(scope, binaries, { crds: [join(repository, 'manifests/crd.yaml')] }),
  ]
  await prepare(plane)
  const begin = async () => kept(await startOperator({ program, flags: nodeFlags, kubeconfig: plane.kubeconfig, keyPair }))
  say(`Node ${process.version}; flags of the operator: ${nodeFlags.join(' ') || 'none'}; flags of the bare server: none`)
  const figures: Figure[] = []
  if (starts > 0) figures.push(await startTimes(begin))

  const file = async (name: keyof typeof reviews) => {
    const path = join(folder, `${name}.json`)
    await writeFile(path, reviews[name])
    return path
  }
  const [withoutFinding, oneWarning] = [await file('withoutFinding'), await file('oneWarning')]
  const [validate, mutate] = ['/validate?timeout=5s', '/mutate?timeout=5s']
  const cases: Case[] = [
    { what: '/validate, no finding', path: validate, body: withoutFinding, connections: 16, goal: 1.8 },
    { what: '/validate, one warning', path: validate, body: oneWarning, connections: 16, goal: 1.8 },
    { what: '/mutate', path: mutate, body: withoutFinding, connections: 16, goal: 1.3 },
    { what: '/validate, no finding', path: validate, body: withoutFinding, connections: 200 },
  ]
  const operator = await begin()
  figures.push(await idleMemory(operator))
  const bare = kept(await startBareServer(keyPair))
  await checkAnswers(operator)
  if (rounds > 0) {
    // Warm-up: V8 compiles the code that the measurements use.
    for (const { path, body } of cases.slice(0, 3)) for (const { port } of [operator, bare]) await load({ port, path, body }, 16, 3)
    figures.push(...await throughput(operator, bare, cases))
    figures.push(...await largeReview(operator, bare))
    await checkAnswers(operator)
  }
  await operator.stop()
  await bare.stop()

  if (mostReviews > 0) {
    const [fresh, freshBare] = [await begin(), kept(await startBareServer(keyPair))]
    const sameFlags = kept(await startBareServer(keyPair, nodeFlags))
    const own = await memoryUnderLoad(fresh, withoutFinding)
    const plain = await memoryUnderLoad(freshBare, withoutFinding)
    const flagged = await memoryUnderLoad(sameFlags, withoutFinding)
    figures.push(
      { what: `memory on 200 connections, ${own.done} reviews`, value: own.rss, unit: 'MiB', baseline: { what: 'bare node:https', value: plain.rss }, goal: 0.7 },
      { what: 'the same, bare server with our flags of Node', value: own.rss, unit: 'MiB', baseline: { what: 'bare node:https', value: flagged.rss } },
      { what: 'memory, last quarter of the reviews to the third', value: own.growth, unit: '×', goal: 1.05 },
    )
  }
  report(figures)
}

const folder = await mkdtemp(join(tmpdir(), 'bench-webhook-'))
try {
  await main(folder)
} finally {
  for (const handler of undo) await handler()
  await rm(folder, { recursive: true })
}
