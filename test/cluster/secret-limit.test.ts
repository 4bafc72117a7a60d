import t from 'tap'
import { lookupsPerSecond, mostAtOnce, SecretLimit } from '../../src/cluster/secret-limit.ts'

t.test('a burst, then a limit per second', async t => {
  let time = 1_000
  const limit = new SecretLimit({ now: () => time, isNamed: (_, name) => name === 'in-use' })
  const allowed = (count: number) => Array.from({ length: count }, (_, index) => limit.refusal('files', `s${index}`)).filter(refusal => refusal === undefined).length
  t.equal(allowed(mostAtOnce + 50), mostAtOnce)
  t.match(limit.refusal('files', 'one-more'), /too many/)
  t.equal(limit.refusal('files', 'in-use'), undefined, 'what a server names is not limited')
  time += 1_000
  t.equal(allowed(50), lookupsPerSecond)
  time += 3_600_000
  t.equal(allowed(mostAtOnce + 50), mostAtOnce, 'no more is saved up')
})

t.test('namespaces that are not watched', async t => {
  const limit = new SecretLimit({ now: () => 0, namespace: 'files' })
  t.equal(limit.refusal('files', 'a'), undefined)
  t.match(limit.refusal('elsewhere', 'a'), /only Secrets in namespace files/)
})
