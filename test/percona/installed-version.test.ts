import t from 'tap'
import { versionOnCrd } from '../../src/percona/installed-version.ts'

t.test('the label of the CustomResourceDefinition', async t => {
  const of = (labels?: Record<string, string>) => versionOnCrd({ metadata: { name: 'perconapgclusters.pgv2.percona.com', ...(labels ? { labels } : {}) } })
  const labelled = (version: string) => of({ 'pgv2.percona.com/version': version })
  t.equal(labelled('v2.9.0'), '2.9.0')
  t.equal(labelled('2.8.2'), '2.8.2')
  t.equal(labelled('v3.1'), '3.1')
  for (const odd of ['latest', '', 'v2', 'v2.9.0-rc1', '2.9.0.1', 'v2.9.x']) t.equal(labelled(odd), undefined, odd)
  t.equal(of({ other: 'v2.9.0' }), undefined)
  t.equal(of(), undefined)
})
