import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:https'
import { generate } from 'selfsigned'

/**
 * `/validate` of an object with a StorageClass and an S3 Secret, over TLS keep-alive, against a bare node:https server that
 * parses and answers the same bodies. Rounds alternate between the two, so that a noisy machine disturbs both alike. The
 * client never sleeps: on a virtual machine, whoever writes to a sleeping peer pays for waking up its processor, which costs
 * as much as a request and which the faster server would be spared.
 * usage: node bench/admission/index.ts [rounds] [requests per round] [connections]
 */
const [rounds = 7, requests = 4_000, connections = 16] = process.argv.slice(2).map(Number)

const pair = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec', algorithm: 'sha256' })
const body = Buffer.from(JSON.stringify({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
    kind: { group: 'dittofs.dittofs.com', version: 'v1alpha1', kind: 'DittoServer' },
    resource: { group: 'dittofs.dittofs.com', version: 'v1alpha1', resource: 'dittoservers' },
    operation: 'CREATE',
    name: 'demo',
    namespace: 'files',
    userInfo: { username: 'alice', groups: ['system:authenticated'] },
    object: {
      apiVersion: 'dittofs.dittofs.com/v1alpha1',
      kind: 'DittoServer',
      metadata: { name: 'demo', namespace: 'files', uid: 'b5d1f0a3-5a3f-4f0e-9c1c-0d3b2a1c4e5f', generation: 1, labels: { app: 'demo' } },
      spec: {
        image: 'marmos91c/dittofs:v0.4.0',
        replicas: 1,
        nfsPort: 12049,
        storage: { metadataSize: '10Gi', contentSize: '50Gi', cacheSize: '5Gi', controlPlaneSize: '1Gi', storageClassName: 'fast' },
        s3: {
          credentialsSecretRef: {
            secretName: 's3',
            accessKeyIdKey: 'accessKeyId',
            secretAccessKeyKey: 'secretAccessKey',
            endpointKey: 'endpoint',
          },
          region: 'eu-west-1',
        },
        resources: { requests: { cpu: '500m', memory: '1Gi' } },
      },
    },
    oldObject: null,
    dryRun: false,
    options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
  },
}))

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
    // The log goes where a container's log goes: into a pipe that somebody reads.
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    env: { ...process.env, BENCH_CERT: pair.cert, BENCH_KEY: pair.private },
  })
  child.stderr?.resume()
  const died = once(child, 'exit').then(() => { throw new Error(`${file} ended too soon`) })
  const [{ port }] = await Promise.race([once(child, 'message'), died]) as [{ port: number }]
  died.catch(() => {}) // at the end it is meant to
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

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * q)] ?? NaN
const median = (values: readonly number[]) => quantile(values, 0.5)

const subjects = [await start('bare node:https', './bare-server.ts'), await start('dittofs-operator', './operator-server.ts')]
const ratios: number[] = []
/** Until V8 has compiled what there is to compile, in threads whose time counts as well. */
const warmUp = 25_000
for (const subject of subjects) await round(subject, warmUp)
for (let i = 0; i < rounds; i++) {
  // Who goes first alternates as well.
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
