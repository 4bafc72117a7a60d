import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { pino } from 'pino'
import t from 'tap'
import { buildServer } from '../../src/admission/server.ts'
import { createMetrics } from '../../src/metrics.ts'
import { defaultPolicy } from '../../src/rules/policy.ts'
import { arbitraryRequest, type ArbitraryRequest } from './arbitrary-request.ts'
import { embedded } from './webhook.ts'

// Any input gets a well-formed answer. No input causes a 5xx, a crash or a memory leak.
// FUZZ_INPUTS=1000000 npm test -- test/admission/fuzz.test.ts

const inputs = Number(process.env.FUZZ_INPUTS ?? 3_000)
const seed = Number(process.env.FUZZ_SEED ?? 20_260_303)
/** Seconds; no more inputs are sent after. */
const longest = Number(process.env.FUZZ_SECONDS ?? Infinity)
const largestReply = 256 * 1000

const cluster = embedded(`
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
---
apiVersion: v1
kind: Secret
metadata: {name: secret, namespace: files}
data: {key: c2hvcnQ=}
`)
const metrics = createMetrics()
const app = buildServer({
  logger: pino({ level: 'silent' }), tls: undefined, cluster, policy: defaultPolicy, metrics, maxInFlight: 100, maxConnections: 100,
})

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const heap = () => {
  collectGarbage()
  return process.memoryUsage().heapUsed / 2 ** 20
}

const unhandled: unknown[] = []
process.on('unhandledRejection', reason => unhandled.push(reason))

interface Reply { readonly kind?: string, readonly response?: { readonly status?: { readonly code: number } } }

const counts: Record<string, number> = {}
let slowest = 0

async function answer ({ url, contentType, body }: ArbitraryRequest): Promise<void> {
  const since = process.threadCpuUsage()
  const { statusCode, rawPayload, json } = await app.inject({ method: 'POST', url, headers: { 'content-type': contentType }, payload: body })
  const { user, system } = process.threadCpuUsage(since)
  slowest = Math.max(slowest, (user + system) / 1000)
  const reply = json<Reply>()
  if (statusCode !== 200 && (statusCode < 400 || statusCode >= 500)) throw new Error(`answered ${statusCode}`)
  if (reply.kind !== (statusCode === 200 ? 'AdmissionReview' : 'Status')) throw new Error(`${statusCode} with ${String(reply.kind)}`)
  const code = reply.response?.status?.code ?? 0
  if (code >= 500) throw new Error(`a review with ${code}`)
  if (rawPayload.length > largestReply) throw new Error(`a reply of ${rawPayload.length} bytes`)
  const outcome = statusCode === 200 ? `200 ${code === 0 ? 'allowed' : `refused ${code}`}` : String(statusCode)
  counts[outcome] = (counts[outcome] ?? 0) + 1
}

if (process.env.FUZZ_INPUTS !== undefined) t.setTimeout(0)

t.test(`${inputs} inputs, seed ${seed}`, async t => {
  await app.ready()
  const started = performance.now()
  const quarter = Math.ceil(inputs / 4)
  const heaps: number[] = []
  let sent = 0
  // In four runs, for the heap between them.
  for (let run = 0; run < 4; run++) {
    const result = await fc.check(fc.asyncProperty(arbitraryRequest, async request => {
      sent++
      await answer(request)
    }), { numRuns: quarter, seed: seed + run, interruptAfterTimeLimit: Math.min(2 ** 31 - 1, longest * 250) })
    t.notOk(result.failed, fc.defaultReportMessage(result)?.slice(0, 4_000) ?? 'no failure')
    heaps.push(heap())
  }
  await new Promise(resolve => setImmediate(resolve))
  t.comment(`${sent} inputs in ${Math.round((performance.now() - started) / 1000)} s: ${JSON.stringify(counts)}; slowest ${slowest.toFixed(0)} ms of CPU`)
  t.comment(`heap after each quarter, MiB: ${heaps.map(size => size.toFixed(1)).join(', ')}`)
  t.strictSame(unhandled, [])
  t.ok((counts['200 allowed'] ?? 0) > sent * 0.05 && (counts['200 refused 422'] ?? 0) > sent * 0.05, 'a mix')
  t.ok((heaps.at(-1) ?? 0) < (heaps[1] ?? 0) + 16, 'the heap does not grow')
  t.match((await metrics.registry.metrics()), /controller_runtime_webhook_panics_total 0/)
  await app.close()
})
