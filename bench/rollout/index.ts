import { setTimeout as delay } from 'node:timers/promises'
import { findBinaries } from '../../test/control-plane/binaries.ts'
import { eventually, startControlPlane } from '../../test/control-plane/control-plane.ts'
import { constantLoad } from '../../test/e2e/constant-load.ts'
import { startReplicaSet } from '../../test/e2e/replica-set.ts'
import { directReviews, dryRunCreate, manifests, type SelfSigned } from '../../test/e2e/self-signed.ts'
import { report } from '../figures.ts'

/**
 * Restarts two replicas one after the other and rotates their certificate, every second time with a new CA. A load balancer sends requests
 * only to ready replicas. Meanwhile, objects are created through a real API server, and reviews are sent directly over HTTPS. Prints how
 * many creates and reviews failed.
 * usage: node bench/rollout/index.ts [restarts] [rotations] [drain period in seconds]
 */
const [restarts = 100, rotations = 50, drain = 2] = process.argv.slice(2).map(Number)

const teardowns: (() => unknown)[] = []
const t = { teardown: (work: () => unknown) => { teardowns.push(work) } } as Parameters<typeof startControlPlane>[0]
const said = (line: string) => process.stdout.write(`${line}\n`)

async function rotate (installed: SelfSigned, count: number): Promise<{ newCas: number }> {
  let newCas = 0
  for (let rotation = 0; rotation < count; rotation++) {
    const part = rotation % 2 === 0 ? 'certificate' : 'ca'
    const before = (await installed.secret()).data['tls.crt']
    await installed.rotate(part)
    await eventually(async () => (await installed.secret()).data['tls.crt'] !== before, `another ${part}`, 60_000)
    if (part === 'ca') newCas++
    await delay(2_000)
  }
  return { newCas }
}

async function rollout (): Promise<number> {
  const binaries = await findBinaries({})
  if ('unavailable' in binaries) throw new Error(binaries.unavailable)
  const plane = await startControlPlane(t, binaries, { crds: [`${manifests}crd.yaml`] })
  const replicas = await startReplicaSet(t, plane, ['--drain-period', String(drain), '--log-level', 'warn'])
  const { balancer, installed } = replicas

  const started = performance.now()
  const creates = constantLoad(2, dryRunCreate(plane))
  const reviews = constantLoad(2, await directReviews(t, installed, balancer.port))
  const rotating = rotate(installed, rotations)
  let unclean = 0
  let longest = 0
  for (let restart = 1; restart <= restarts; restart++) {
    const { code, milliseconds } = await replicas.restartOne()
    if (code !== 0) unclean++
    longest = Math.max(longest, milliseconds)
    if (restart % 10 === 0) said(`${restart} restarts, ${creates.failures().length + reviews.failures().length} failed admissions`)
  }
  const { newCas } = await rotating
  await Promise.all([creates.stop(), reviews.stop()])
  const seconds = Math.round((performance.now() - started) / 1000)
  for (const failure of [...creates.failures(), ...reviews.failures()].slice(0, 20)) said(failure)
  said(`${restarts} restarts (${unclean} did not end with 0; the longest took ${Math.round(longest)} ms with a drain of ${drain} s)`)
  said(`${rotations} rotations, ${newCas} of them with a new CA`)
  said(`${creates.sent()} creates through the API server, ${creates.failures().length} failed`)
  said(`${reviews.sent()} reviews over HTTPS, ${reviews.failures().length} failed`)
  said(`${balancer.refused()} connections found no replica ready; ${seconds} s`)
  const failed = creates.failures().length + reviews.failures().length
  report([{ what: `failed admissions in ${restarts} restarts and ${rotations} rotations`, value: failed, unit: `of ${creates.sent() + reviews.sent()}`, goal: 0 }])
  return failed + unclean
}

try {
  process.exitCode = await rollout() === 0 ? 0 : 1
} finally {
  for (const work of teardowns.toReversed()) await work()
}
