import t from 'tap'
import { judgeVersion } from '../../src/doctor/percona-operator.ts'
import { perconaReleases } from '../../src/percona/releases.ts'

t.test('a version of the table is fine, with any patch', async t => {
  for (const { version } of perconaReleases) t.match(judgeVersion(`${version}.7`), { status: 'ok', detail: `version ${version}.7` })
})

t.test('another one is a warning that says which images are used', async t => {
  const [oldest, newest] = [perconaReleases[0].version, perconaReleases.at(-1)?.version]
  t.match(judgeVersion('2.7.0'), {
    status: 'warning', detail: /^version 2\.7\.0 is older than all that are known \(2\.8, .* and \S+\): the images for 2\.8 are used$/, fix: /^upgrade the Percona operator/,
  })
  t.match(judgeVersion('99.1'), { status: 'warning', detail: new RegExp(`newer than all .* the images for ${newest} are used`), fix: /^upgrade this operator/ })
  t.match(judgeVersion('2.10.0'), { status: 'warning', detail: /not one of those that are known .* the images for 2\.9 are used/ })
  t.match(judgeVersion(undefined), { status: 'warning', detail: /does not contain its version/ })
  t.equal(oldest, '2.8')
})
