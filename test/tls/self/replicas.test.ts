import { X509Certificate } from 'node:crypto'
import t, { type Test } from 'tap'
import { defaultTimes } from '../../../src/tls/self/plan.ts'
import { hasSigned, parseBundle } from '../../../src/tls/self/ca-bundle.ts'
import { SimulatedCluster } from './cluster.ts'
import { seeded } from './seeded.ts'

// Many replicas, one Secret. Time is simulated; the order in which the API server answers is drawn from a seed.

const minute = 60_000
const times = {
  caLifetime: 240 * minute,
  caRenewal: 0.8,
  certificateLifetime: 60 * minute,
  certificateRenewal: 2 / 3,
  overlap: 8 * minute,
  settle: 2 * minute,
}

type Replica = ReturnType<SimulatedCluster['replica']>

/** The CA that a replica's certificate is from, of all that there ever were. */
function signerOf ({ source }: Replica, known: readonly X509Certificate[]): string | undefined {
  const pair = source.current()
  if (!pair) return undefined
  const certificate = new X509Certificate(pair.certificate)
  return known.find(ca => hasSigned(ca, certificate))?.fingerprint256
}

t.test('five that start at once make one certificate', async t => {
  for (let seed = 1; seed <= 4; seed++) {
    const cluster = new SimulatedCluster(seeded(seed))
    const replicas = Array.from({ length: 5 }, () => cluster.replica(t, { times }))
    await Promise.all(replicas.map(async ({ look }) => await look()))
    await Promise.all(replicas.map(async ({ look }) => await look()))
    t.equal(cluster.writes, 1)
    t.equal(new Set(replicas.map(({ serial }) => serial())).size, 1)
    t.strictSame(replicas.flatMap(({ source }) => [source.notReady(), source.impaired()]), replicas.flatMap(() => [undefined, undefined]))
    t.strictSame(cluster.bundles(), [1, 1])
  }
})

const signerIn = (cluster: SimulatedCluster): string => [...cluster.trusted()][0] ?? ''

/** One thing that happens to the Secret, or to nobody. */
function disturb (cluster: SimulatedCluster, random: () => number): void {
  const corrupt = (key: string, value: string) => {
    cluster.edit(({ data, annotations }) => ({ annotations, data: { ...data, [key]: Buffer.from(value) } }))
  }
  const ask = (part: string) => {
    cluster.edit(({ data, annotations }) => ({ data, annotations: { ...annotations, 'dittofs.dittofs.com/rotate': part } }))
  }
  const disturbances = [
    () => { ask('ca') },
    () => { ask('certificate') },
    () => { ask('nonsense') },
    () => { corrupt('tls.crt', 'garbage') },
    () => { corrupt('tls.key', '') },
    () => { corrupt('ca.crt', 'garbage') },
    () => { corrupt('ca.key', 'garbage') },
    () => { cluster.edit(() => ({ data: {}, annotations: {} })) },
    () => { cluster.edit(() => undefined) },
  ]
  if (random() < 0.15) disturbances[Math.floor(random() * disturbances.length)]?.()
}

async function live (t: Test, seed: number, minutes: number): Promise<number> {
  const random = seeded(seed)
  const cluster = new SimulatedCluster(random)
  const staleAfter = 3 * minute
  const join = () => cluster.replica(t, { times, staleAfter })
  let replicas = [join(), join(), join()]
  const known = new Map<string, X509Certificate>()
  await Promise.all(replicas.map(async ({ look }) => await look()))
  let checked = 0
  // An API server acts on what the configurations say now, or on what they said up to two minutes ago.
  let views = [cluster.trusted()]
  for (let tick = 0; tick < minutes; tick++) {
    cluster.pass(minute)
    disturb(cluster, random)
    // Some are cut off for a while.
    await Promise.all(replicas.map(async ({ look }) => { if (random() < 0.7) await look() }))
    for (const { webhooks } of cluster.configurations) for (const one of parseBundle(webhooks[0]?.caBundle ?? '')) known.set(one.fingerprint256, one)
    views = [...views.slice(-2), cluster.trusted()]
    for (const replica of replicas.filter(({ source }) => source.notReady() === undefined)) {
      const signer = signerOf(replica, [...known.values()]) ?? ''
      checked++
      if (!views.every(view => view.has(signer))) t.fail(`seed ${seed}, minute ${tick}: a ready replica is not trusted`)
    }
    if (random() < 0.05) {
      await Promise.all(replicas.map(async ({ look }) => await look()))
      const fresh = join()
      await fresh.look()
      replicas = [...replicas.slice(1), fresh]
      views = views.with(-1, cluster.trusted())
    }
  }
  for (let tick = 0; tick < 25; tick++) {
    cluster.pass(minute)
    for (const { look } of replicas) await look()
  }
  t.equal(new Set(replicas.map(({ serial }) => serial())).size, 1, `seed ${seed}: all serve the same in the end`)
  t.strictSame(cluster.bundles(), [1, 1], `seed ${seed}: and one CA is left`)
  t.ok(known.size > 3)
  return checked
}

t.test('a ready replica is trusted at every moment, whatever happens to the Secret', async t => {
  let checked = 0
  for (let seed = 1; seed <= 3; seed++) checked += await live(t, seed, 200)
  t.ok(checked > 900, `${checked} checks`)
})

t.test('left alone, certificates and CAs are renewed in time', async t => {
  const cluster = new SimulatedCluster()
  const replica = cluster.replica(t)
  const day = 24 * 3600 * 1000
  const year = 365 * day
  for (let days = 0; days < 9 * 365; days += 15) {
    // More than one look a day, as a rotation takes several.
    for (let look = 0; look < 3; look++) {
      await replica.look()
      cluster.pass(defaultTimes.settle)
    }
    const left = (replica.source.current()?.notAfter.getTime() ?? 0) - cluster.now.getTime()
    if (replica.source.notReady() !== undefined || left < year / 4) t.fail(`day ${days}: ${left / day} days left`)
    cluster.pass(15 * day)
  }
  t.match(replica.rotated, { ca: 2 })
  t.ok(replica.rotated.certificate >= 13 && replica.rotated.certificate <= 15, `${replica.rotated.certificate} certificates`)
  t.strictSame(cluster.bundles(), [1, 1])
})

t.test('what the configurations trusted before stays trusted for an overlap', async t => {
  const cluster = new SimulatedCluster()
  const other = new SimulatedCluster()
  await other.replica(t).look()
  const [foreign = ''] = other.configurations.map(({ webhooks }) => webhooks[0]?.caBundle ?? '')
  const fingerprint = parseBundle(foreign)[0]?.fingerprint256 ?? ''
  for (const { title } of cluster.configurations) cluster.overwrite(title, { webhooks: [{ name: 'only', caBundle: foreign }] })
  const replica = cluster.replica(t)
  await replica.look()
  t.ok(cluster.trusted().has(fingerprint), 'replicas with another mode are still trusted')
  t.strictSame(cluster.bundles(), [2, 2])
  cluster.pass(defaultTimes.overlap)
  await replica.look()
  t.strictSame(cluster.bundles(), [1, 1])

  // With a Secret that is there already, from a time before.
  for (const { title } of cluster.configurations) cluster.overwrite(title, { webhooks: [{ name: 'only', caBundle: foreign }] })
  cluster.pass(10 * minute)
  await cluster.replica(t).look()
  t.ok(cluster.trusted().has(fingerprint))
  cluster.pass(defaultTimes.overlap)
  await replica.look()
  t.strictSame(cluster.bundles(), [1, 1])
})

t.test('a bundle that is overwritten is put back; one that is missing is waited for', async t => {
  const cluster = new SimulatedCluster()
  const replica = cluster.replica(t)
  cluster.overwrite('second', { exists: false })
  await replica.look()
  t.strictSame(replica.source.notReady(), { reason: 'CertificateNotTrusted', message: 'second does not exist' })
  cluster.overwrite('second', { exists: true })
  await replica.look()
  t.equal(replica.source.notReady(), undefined)
  cluster.overwrite('first', { exists: false })
  await replica.look()
  t.equal(replica.source.notReady(), undefined, 'the API server does without the mutating one')
  t.strictSame(replica.source.impaired(), { reason: 'MutatingWebhookNotTrusting', message: 'first does not exist' })
  cluster.overwrite('first', { exists: true })
  await replica.look()
  t.equal(replica.source.impaired(), undefined)
  cluster.overwrite('first', { webhooks: [{ name: 'only', caBundle: '' }] })
  await replica.look()
  t.strictSame(cluster.bundles(), [1, 1])
})

t.test('what cert-manager looks after is left alone', async t => {
  const cluster = new SimulatedCluster()
  const replica = cluster.replica(t)
  await replica.look()
  cluster.overwrite('first', { foreign: true, webhooks: [{ name: 'only', caBundle: '' }] })
  await replica.look()
  await replica.look()
  t.strictSame(cluster.bundles(), [0, 1])
  t.match(replica.source.impaired(), { message: /^first does not trust the serving certificate; its CA bundle is left to cert-manager/ })
  t.equal(replica.source.notReady(), undefined)
  cluster.overwrite('second', { foreign: true, webhooks: [{ name: 'only', caBundle: '' }] })
  await replica.look()
  t.match(replica.source.notReady(), { reason: 'CertificateNotTrusted', message: /^second does not trust the serving certificate; its CA bundle is left to cert-manager/ })
  t.equal(replica.said(/leaves it to cert-manager/).length, 2, 'each told once')
})

t.test('to cert-manager and back', async t => {
  const cluster = new SimulatedCluster()
  const replica = cluster.replica(t)
  await replica.look()
  const first = signerIn(cluster)
  const own = replica.serial()
  const other = new SimulatedCluster()
  await other.replica(t).look()

  const annotations = { 'cert-manager.io/certificate-name': 'hook' }
  const issued = Object.fromEntries(Object.entries(other.secret?.data ?? {}).filter(([key]) => key !== 'ca.key'))
  const { writes } = cluster
  cluster.edit(() => ({ data: issued, annotations }))
  await replica.look()
  t.equal(replica.serial(), own, 'its CA must be known first')
  t.strictSame(cluster.bundles(), [2, 2])
  cluster.pass(defaultTimes.settle)
  await replica.look()
  t.not(replica.serial(), own)
  t.ok(cluster.trusted().has(first), 'others may not have followed yet')
  t.equal(replica.source.notReady(), undefined)
  cluster.edit(({ data }) => ({ data: { ...data, 'tls.crt': Buffer.from('garbage') }, annotations }))
  await replica.look()
  t.equal(cluster.writes, writes, 'the Secret is not written, even if it is broken')
  t.match(replica.said(/cannot be checked and renewed/)[0]?.fields.cause, /belongs to cert-manager/)

  const theirs = replica.serial()
  cluster.edit(() => ({ data: issued, annotations: {} }))
  await replica.look()
  t.equal(replica.serial(), theirs)
  t.strictSame(cluster.bundles(), [2, 2])
  cluster.pass(defaultTimes.settle)
  await replica.look()
  t.not(replica.serial(), theirs)
  cluster.pass(defaultTimes.overlap)
  await replica.look()
  t.strictSame(cluster.bundles(), [1, 1])
})

t.test('CAs that a person adds', async t => {
  const cluster = new SimulatedCluster()
  const replica = cluster.replica(t)
  await replica.look()
  const other = new SimulatedCluster()
  await other.replica(t).look()
  const add = async (pem: Buffer | string) => {
    cluster.edit(({ data, annotations }) => ({ annotations, data: { ...data, 'trust.crt': Buffer.from(pem) } }))
    await replica.look()
    await replica.look()
    return cluster.bundles()
  }
  t.strictSame(await add('garbage'), [1, 1])
  t.equal(replica.said(/^trust\.crt .* no CA/).length, 1, 'told once')
  t.strictSame(await add(other.secret?.data['ca.crt'] ?? ''), [2, 2])
  cluster.pass(defaultTimes.overlap * 2)
  await replica.look()
  t.strictSame(cluster.bundles(), [2, 2], 'for as long as it is there')
  t.strictSame(await add(''), [1, 1])
})

t.test('an API server that is away', async t => {
  const cluster = new SimulatedCluster()
  const replica = cluster.replica(t, { staleAfter: 5 * minute })
  cluster.fault = new Error('secret text')
  await replica.look()
  t.strictSame(replica.source.notReady(), { reason: 'NoCertificate', message: 'there is no serving certificate yet: internal error' })
  cluster.fault = undefined
  await replica.look()
  t.equal(replica.source.notReady(), undefined)
  cluster.fault = new Error('again')
  const serial = replica.serial()
  for (let look = 0; look < 3; look++) await replica.look()
  t.equal(replica.said(/cannot be checked and renewed/).length, 2, 'an outage is told once')
  t.equal(replica.serial(), serial)
  cluster.pass(5 * minute)
  t.equal(replica.source.impaired(), undefined, 'a short one does not matter')
  cluster.pass(minute)
  t.match(replica.source.impaired(), { reason: 'CertificateSecretNotSeen', message: /^the certificate Secret was not seen for 360 s: / })
  t.equal(replica.source.notReady(), undefined, 'what it serves is trusted')
})
