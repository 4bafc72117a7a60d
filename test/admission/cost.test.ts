import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { buildHealthServer } from '../../src/health/server.ts'
import { startWebhook } from './webhook.ts'
import { largest, worstBodies } from './worst-bodies.ts'

// What one request may cost, whatever it carries. In milliseconds of the processor, by this thread: clocks on the wall also
// count what other programs take. An event loop is never held up for longer than all of a request takes.

const longest = 250
const longestOfSmall = 50
const smallBody = 100 * 1000
const largestReply = 256 * 1000

const webhook = await startWebhook(t)
const { app } = webhook

const spent = (since: NodeJS.CpuUsage) => {
  const { user, system } = process.threadCpuUsage(since)
  return (user + system) / 1000
}

async function costOf (path: string, body: Buffer) {
  const since = process.threadCpuUsage()
  const reply = await app.inject({ method: 'POST', url: path, headers: { 'content-type': 'application/json' }, payload: body })
  return { cost: spent(since), status: reply.statusCode, bytes: reply.rawPayload.length }
}

/** Of JSON.parse and the decoding before it, which every server needs. */
function costOfParsing (body: Buffer): number {
  const since = process.threadCpuUsage()
  try {
    JSON.parse(body.toString())
  } catch {}
  return spent(since)
}

/** The least of some attempts: garbage of the one before is not the fault of the one after. */
async function leastOf (attempts: number, enough: number, attempt: () => Promise<{ cost: number, status: number, bytes: number }>) {
  let least = await attempt()
  for (let again = 1; again < attempts && least.cost > enough; again++) {
    const next = await attempt()
    if (next.cost < least.cost) least = next
  }
  return least
}

// What is compiled before it is measured.
for (const body of Object.values(worstBodies(20_000))) for (const path of ['/validate', '/mutate']) await costOf(path, Buffer.from(body))

for (const [size, limit] of [[largest, longest], [smallBody, longestOfSmall]] as const) {
  t.test(`bodies of ${size} bytes`, async t => {
    let worst = { cost: 0, name: '' }
    for (const [name, text] of Object.entries(worstBodies(size))) {
      const body = Buffer.from(text)
      t.ok(body.length <= 7 * 1024 * 1024, `${name}: ${body.length} bytes`)
      for (const path of ['/validate', '/mutate']) {
        const { cost, status, bytes } = await leastOf(5, limit / 2, async () => await costOf(path, body))
        if (cost > worst.cost) worst = { cost, name: `${path}: ${name}` }
        t.ok(status === 200 || (status >= 400 && status < 500), `${path}: ${name}: ${status}`)
        t.ok(cost <= limit, `${path}: ${name}: ${cost.toFixed(1)} ms`)
        t.ok(bytes <= largestReply, `${path}: ${name}: a reply of ${bytes} bytes`)
        if (cost > 20 && status === 200) {
          const parsing = costOfParsing(body)
          t.ok(cost <= 10 * parsing + 20, `${path}: ${name}: ${cost.toFixed(1)} ms, where parsing alone takes ${parsing.toFixed(1)} ms`)
        }
      }
    }
    t.comment(`the worst of them: ${worst.cost.toFixed(1)} ms, ${worst.name}`)
  })
}

t.test('health answers while the worst bodies are judged', async t => {
  const health = buildHealthServer({ registry: webhook.metrics.registry, readiness: { notReady: () => [], impaired: () => [] }, log: { level: 'info', warn: () => {} } })
  await health.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(async () => { await health.close() })
  const { port } = health.server.address() as { port: number }
  const bodies = Object.values(worstBodies(largest)).slice(0, 6)
  const sending = new AbortController()
  const sender = (async () => {
    for (let round = 0; !sending.signal.aborted; round++) await webhook.send('/validate', bodies[round % bodies.length] ?? '').catch(() => {})
  })()
  const latencies: number[] = []
  for (let probe = 0; probe < 40; probe++) {
    const started = performance.now()
    const { status } = await fetch(`http://127.0.0.1:${port}/livez`)
    latencies.push(performance.now() - started)
    t.equal(status, 200)
    await delay(25)
  }
  sending.abort()
  await sender
  latencies.sort((a, b) => a - b)
  const [median = 0, slowest = 0] = [latencies[20], latencies.at(-1)]
  t.comment(`liveness, milliseconds: median ${median.toFixed(0)}, slowest ${slowest.toFixed(0)}; this process sends the bodies as well`)
  // The kubelet gives it 3 s.
  t.ok(slowest < 3_000, `${slowest.toFixed(0)} ms`)
})
