import t from 'tap'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { WrittenVersions } from '../../src/controller/written-versions.ts'

const reply = (resourceVersion?: string): KubernetesObject =>
  ({ apiVersion: 'v1', kind: 'X', metadata: { name: 'x', ...(resourceVersion === undefined ? {} : { resourceVersion }) } })

t.test('a watch is behind until it has reached the newest write', async t => {
  const written = new WrittenVersions()
  const behind = (seen: string | undefined) => [...written.behind('a', () => seen).kinds]
  t.strictSame(behind('1'), [])
  written.record('a', 'ConfigMap', reply('10'), 0)
  written.record('a', 'ConfigMap', reply('9'), 5)
  t.strictSame(behind('9'), ['ConfigMap'], 'numbers, not texts')
  t.strictSame(behind(undefined), ['ConfigMap'], 'a watch that is to list again has seen nothing')
  t.equal(written.behind('a', () => '9').since, 0)
  written.record('a', 'ConfigMap', reply('10'), 6)
  t.equal(written.behind('a', () => '9').since, 0, 'a write that changed nothing is not a newer one')
  written.record('a', 'ConfigMap', reply('12'), 7)
  t.strictSame(behind('11'), ['ConfigMap'])
  t.equal(written.behind('a', () => '11').since, 7)
  t.strictSame(behind('12'), [])
  t.equal(written.size, 0, 'and then nothing is kept')
})

t.test('each kind and each server separately', async t => {
  const written = new WrittenVersions()
  written.record('a', 'ConfigMap', reply('10'), 3)
  written.record('a', 'Service', reply('20'), 1)
  written.record('b', 'Service', reply('30'), 2)
  t.equal(written.behind('a', () => '5').since, 1, 'of the oldest')
  const seen = (kind: string) => kind === 'ConfigMap' ? '15' : '15'
  t.strictSame(written.behind('a', seen), { kinds: new Set(['Service']), since: 1 })
  t.strictSame([...written.behind('b', seen).kinds], ['Service'])
  written.forget('b')
  t.strictSame([...written.behind('b', seen).kinds], [])
  t.equal(written.size, 1)
})

t.test('a missing or incomparable version is not waited for', async t => {
  const written = new WrittenVersions()
  written.record('a', 'ConfigMap', reply(), 0)
  for (const version of ['abc', '1a', 'a1', '']) written.record('a', 'ConfigMap', reply(version), 0)
  t.equal(written.size, 0)
  t.equal(written.behind('a', () => '1').since, Infinity)
})
