import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:https'
import { generate } from 'selfsigned'
import { median, quantile, report } from '../figures.ts'
import { reviews } from '../reviews.ts'

/**
 * Measures `/validate` of an object with a StorageClass and an S3 Secret, over TLS connections with keep-alive. The baseline is a bare
 * node:https server that parses and answers the same bodies. Rounds alternate between the two servers, so that a noisy machine disturbs
 * both equally. The client never sleeps. On a virtual machine, a process that writes to a sleeping peer must wake up the processor of the
 * peer. That costs as much as a request, and the faster server would not have this cost.
 * usage: node bench/admission/index.ts [rounds] [requests per round] [connections]
 */
const [rounds = 7, requests = 4_000, connections = 16] = process.argv.slice(2).map(Number)

const pair = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec', algorithm: 'sha256' })
const body = Buffer.from(reviews.withoutFinding)

interface Figures { cpu: number, rss: number }
interface Subject {
  readonly name: string
  readonly child: ChildProcess
  readonly port: number
  readonly agent: Agent
  readonly cpuPerRequest: number[]
  readonly latencies: number[]
  rss: number
}

async function start (name: string, file: string): Promise<Subject> {
  const child = fork(new URL(file, import.meta.url), {
    // As in a container, the log goes into a pipe that another process reads.
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    env: { ...process.env, BENCH_CERT: pair.cert, BENCH_KEY: pair.private },
  })
  child.stderr?.resume()
  const died = once(child, 'exit').then(() => { throw new Error(`${file} ended too soon`) })
  const [{ port }] = await Promise.race([once(child, 'message'), died]) as [{ port: number }]
  died.catch(() => {}) // at the end of the bench the process is stopped on purpose
  const agent = new Agent({ keepAlive: true, maxSockets: connections, ca: pair.cert, checkServerIdentity: () => undefined })
  return { name, child, port, agent, cpuPerRequest: [], latencies: [], rss: 0 }
}

async function figures ({ child }: Subject): Promise<Figures> {
  child.send('figures')
  const [answer] = await once(child, 'message') as [Figures]
  return answer
}

async function post ({ agent, port }: Subject): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const started = performance.now()
  const headers = { 'content-type': 'application/json', 'content-length': body.length }
  const outgoing = request({ host: '127.0.0.1', port, path: '/validate?timeout=5s', method: 'POST', agent, headers }, reply => {
    const chunks: Buffer[] = []
    reply.on('data', chunk => chunks.push(chunk as Buffer))
    reply.on('end', () => {
      const allowed = Buffer.concat(chunks).includes('"allowed":true')
      if (reply.statusCode === 200 && allowed) resolve(performance.now() - started)
      else reject(new Error(`unexpected answer: ${Buffer.concat(chunks).toString()}`))
    })
  })
  outgoing.on('error', reject)
  outgoing.end(body)
  return await promise
}

async function round (subject: Subject, count: number): Promise<{ cpu: number, latencies: number[] }> {
  const latencies: number[] = []
  const before = await figures(subject)
  let left = count
  let spinning = true
  const spin = () => { if (spinning) setImmediate(spin) }
  spin()
  await Promise.all(Array.from({ length: connections }, async () => {
    while (left-- > 0) latencies.push(await post(subject))
  }))
  spinning = false
  const after = await figures(subject)
  subject.rss = Math.max(subject.rss, after.rss)
  return { cpu: (after.cpu - before.cpu) / latencies.length, latencies }
}

const subjects = [await start('bare node:https', './bare-server.ts'), await start('dittofs-operator', './operator-server.ts')]
const ratios: number[] = []
/** Requests until V8 has compiled the code. V8 compiles in threads whose time is counted, too. */
const warmUp = 25_000
for (const subject of subjects) await round(subject, warmUp)
for (let i = 0; i < rounds; i++) {
  // The server that goes first alternates as well.
  for (const subject of i % 2 ? subjects.toReversed() : subjects) {
    const { cpu, latencies } = await round(subject, requests)
    subject.cpuPerRequest.push(cpu)
    subject.latencies.push(...latencies)
  }
  ratios.push((subjects[1]?.cpuPerRequest.at(-1) ?? NaN) / (subjects[0]?.cpuPerRequest.at(-1) ?? NaN))
}
if (process.env.BENCH_VERBOSE) console.log(ratios.map(r => r.toFixed(2)).join(' '))
for (const { name, cpuPerRequest, latencies, rss, child, agent } of subjects) {
  console.log(`${name.padEnd(18)} CPU ${median(cpuPerRequest).toFixed(1)} µs/request   p50 ${median(latencies).toFixed(2)} ms   p99 ${quantile(latencies, 0.99).toFixed(2)} ms   RSS ${(rss / 2 ** 20).toFixed(0)} MiB`)
  agent.destroy()
  child.disconnect()
}
console.log(`ratio of CPU: median ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}) over ${rounds} rounds of ${requests} requests on ${connections} connections`)
const [bare, operator] = subjects.map(({ cpuPerRequest }) => median(cpuPerRequest))
report([{
  what: 'CPU per /validate, cluster in memory, client that never sleeps', value: operator ?? NaN, unit: 'µs', baseline: { what: 'bare node:https', value: bare ?? NaN },
}])
