import { X509Certificate } from 'node:crypto'
import t, { type Test } from 'tap'
import { speaksFor } from '../../../src/tls/key-pair.ts'
import { defaultTimes } from '../../../src/tls/self/plan.ts'
import { SimulatedCluster } from './cluster.ts'
import { seeded } from './seeded.ts'

// Replicas that are told of different names, as in a rollout that changes --tls-san: they come to one certificate with all of them,
// and stop.
// NAMES_SEEDS=10000 npm test -- test/tls/self/names.test.ts

const seeds = Number(process.env.NAMES_SEEDS ?? 60)
if (process.env.NAMES_SEEDS !== undefined) t.setTimeout(0)
const minute = 60_000
const own = ['hook', 'hook.system.svc']
const extra = ['a.example', 'b.example', '192.0.2.1', '2001:db8::1']
/** Seconds that the clocks of replicas are apart. Certificates are good from five minutes earlier on. */
const skews = [0, 0, 2, -2, 30, -30, 200, -200]

async function scenario (t: Test, seed: number): Promise<{ writes: number, replicas: number } | string> {
  const random = seeded(seed)
  const pick = <Value>(values: readonly Value[]) => values[Math.floor(random() * values.length)] as Value
  const cluster = new SimulatedCluster(random)
  const join = () => {
    const skew = pick(skews) * 1000
    const names = [...own, ...extra.filter(() => random() < 0.3)]
    return { names, ...cluster.replica(t, { names, now: () => new Date(cluster.now.getTime() + skew) }) }
  }
  let replicas = [join(), join(), join()]
  let made = replicas.length
  const round = async (connected: number) => {
    await Promise.all(replicas.map(async ({ look }) => { if (random() < connected) await look() }))
    cluster.pass(Math.floor(random() * 8_000))
  }
  // Some are cut off for a while, and each is replaced by one with other names.
  const connected = pick([1, 0.7, 0.4])
  for (let tick = 0; tick < 12; tick++) {
    await round(connected)
    if (random() < 0.3) {
      replicas = [...replicas.slice(1), join()]
      made++
    }
  }
  const { writes } = cluster
  for (let tick = 0; tick < 20; tick++) await round(1)
  const settled = cluster.writes
  cluster.pass(minute)
  for (let tick = 0; tick < 10; tick++) await round(1)
  if (cluster.writes !== settled) return `seed ${seed}: ${cluster.writes - settled} writes after all had settled`
  const [serial, ...others] = new Set(replicas.map(replica => replica.serial()))
  if (serial === undefined || others.length > 0) return `seed ${seed}: they serve ${others.length + 1} certificates`
  const certificate = new X509Certificate(cluster.secret?.data['tls.crt'] ?? '')
  const lacking = replicas.flatMap(({ names }) => names.filter(name => !speaksFor(certificate, name)))
  if (lacking.length > 0) return `seed ${seed}: the certificate lacks ${lacking.join(', ')}`
  const unready = replicas.flatMap(({ source }) => source.notReady()?.message ?? [])
  if (unready.length > 0) return `seed ${seed}: ${unready.join('; ')}`
  // One to begin with, and for each replica that came at most one for its names. No name is left out again.
  if (cluster.writes > made + 1) return `seed ${seed}: ${cluster.writes} writes for ${made} replicas (${writes} while they came)`
  return { writes: cluster.writes, replicas: made }
}

t.test(`${seeds} rollouts that change the names`, async t => {
  const faults: string[] = []
  let most = 0
  for (let seed = 1; seed <= seeds && faults.length < 5; seed++) {
    const result = await scenario(t, seed)
    if (typeof result === 'string') faults.push(result)
    else most = Math.max(most, result.writes)
  }
  t.strictSame(faults, [])
  t.comment(`at most ${most} writes of the Secret`)
})

t.test('a name that nobody asks for any more goes with the next renewal', async t => {
  const cluster = new SimulatedCluster()
  const before = cluster.replica(t, { names: [...own, 'old.example'] })
  await before.look()
  await before.source.stop()
  const after = cluster.replica(t, { names: [...own, 'new.example'] })
  cluster.pass(minute)
  await after.look()
  t.strictSame(after.source.current()?.names.toSorted(), [...own, 'new.example', 'old.example'].toSorted())
  cluster.pass(defaultTimes.certificateLifetime * defaultTimes.certificateRenewal)
  await after.look()
  t.strictSame(after.source.current()?.names.toSorted(), [...own, 'new.example'].toSorted())
})

t.test('one that takes names away is not answered at once', async t => {
  const cluster = new SimulatedCluster()
  const replica = cluster.replica(t, { names: [...own, 'mine.example'] })
  const other = cluster.replica(t, { names: own })
  await replica.look()
  const ask = () => { cluster.edit(({ data, annotations }) => ({ data, annotations: { ...annotations, 'dittofs.dittofs.com/rotate': 'certificate' } })) }
  cluster.pass(minute)
  ask()
  await other.look()
  const { writes } = cluster
  t.ok(await replica.look() <= defaultTimes.settle, 'it looks again when the time has come')
  t.equal(cluster.writes, writes, 'not at once')
  cluster.pass(defaultTimes.settle)
  await replica.look()
  t.equal(cluster.writes, writes + 1)
  t.ok(replica.source.current()?.names.includes('mine.example'))
})
