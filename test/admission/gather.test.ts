import t from 'tap'
import { gather } from '../../src/admission/gather.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { absent, present, unknown } from '../../src/rules/facts.ts'

const fast = present({ name: 'fast', isDefault: true, allowVolumeExpansion: true })

/** A cluster of which nothing is known but what a test says. */
const cluster = (over: Partial<Cluster>): Cluster => ({
  start: async () => {},
  stop: async () => {},
  stale: () => undefined,
  storageClass: () => absent,
  storageClasses: () => present([]),
  secret: () => absent,
  perconaServed: () => absent,
  perconaOperator: () => absent,
  perconaCluster: () => absent,
  ...over,
})

t.test('every fact that was asked for', async t => {
  const asked: string[] = []
  const facts = await gather([
    { kind: 'StorageClass', name: 'fast' }, { kind: 'StorageClass', name: 'slow' }, { kind: 'StorageClasses' }, { kind: 'Secret', name: 's3' }, { kind: 'PerconaCRD' },
    { kind: 'PerconaOperator' }, { kind: 'PerconaCluster', name: 'demo-postgres' },
  ], cluster({
    storageClass: name => name === 'fast' ? fast : Promise.resolve(absent),
    secret: async (namespace, name) => {
      asked.push(`${namespace}/${name}`)
      return present({ lengths: new Map() })
    },
    perconaServed: async () => unknown('403'),
    perconaOperator: async () => present({ version: '2.9.0' }),
    perconaCluster: async (namespace, name) => {
      asked.push(`${namespace}/${name}`)
      return present({ postgresVersion: 17 })
    },
  }), 'files', 1_000)
  t.strictSame(facts.storageClass('fast'), fast)
  t.strictSame(facts.storageClass('slow'), absent)
  t.strictSame(facts.storageClasses(), present([]))
  t.strictSame(facts.secret('s3'), present({ lengths: new Map() }))
  t.strictSame(facts.perconaServed(), unknown('403'))
  t.strictSame(facts.perconaOperator(), present({ version: '2.9.0' }))
  t.strictSame(facts.perconaCluster('demo-postgres'), present({ postgresVersion: 17 }))
  t.strictSame(asked, ['files/s3', 'files/demo-postgres'], 'in the namespace of the request only')
  t.throws(() => facts.secret('other'), /does not list in its needs: Secret other/)
})

t.test('lookups run side by side, and what is late is unknown', async t => {
  const aborted: string[] = []
  const never = (what: string) => async (signal: AbortSignal) => {
    signal.addEventListener('abort', () => aborted.push(what))
    return await new Promise<never>(() => {})
  }
  const started = performance.now()
  const facts = await gather([{ kind: 'Secret', name: 'a' }, { kind: 'Secret', name: 'b' }, { kind: 'StorageClass', name: 'fast' }, { kind: 'PerconaCRD' }], cluster({
    secret: async (_namespace, name, signal) => await never(name)(signal),
    storageClass: async () => fast,
    perconaServed: never('crd'),
  }), 'files', 200)
  const took = performance.now() - started
  t.ok(took >= 190 && took < 1_000, `took ${Math.round(took)} ms`)
  t.strictSame(facts.secret('a'), unknown('timed out'))
  t.strictSame(facts.perconaServed(), unknown('timed out'))
  t.strictSame(facts.storageClass('fast'), fast, 'what was in time counts')
  t.strictSame(aborted, ['a', 'b', 'crd'], 'and the requests that nobody waits for are given up')
})

t.test('nothing to ask costs no time', async t => {
  const facts = await gather([], cluster({}), 'files', 50)
  t.throws(() => facts.perconaServed(), /PerconaCRD/)
})
