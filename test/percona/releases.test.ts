import t from 'tap'
import { compareVersions, defaultPostgresVersion, perconaReleases, postgresVersions, postgresVersionsOf, releaseFor } from '../../src/percona/releases.ts'

t.test('the table', async t => {
  const versions = perconaReleases.map(({ version }) => version)
  t.strictSame(versions, versions.toSorted(compareVersions), 'oldest first')
  t.equal(new Set(versions).size, versions.length, 'each once')
  for (const release of perconaReleases) {
    t.ok(postgresVersionsOf(release).includes(defaultPostgresVersion), `${release.version} has the default version of PostgreSQL`)
    for (const [major, tag] of Object.entries(release.postgres)) t.match(tag, new RegExp(`^${major}\\.`), `${release.version}: ${tag}`)
  }
  t.strictSame(postgresVersions, [16, 17, 18])
})

t.test('the row for a version', async t => {
  const rows: readonly [version: string | undefined, row: string, fits: boolean][] = [
    ['2.8.0', '2.8', true],
    ['2.8.2', '2.8', true],
    ['2.9.0', '2.9', true],
    ['3.1.4', '3.1', true],
    ['2.7.0', '2.8', false],
    ['1.6.0', '2.8', false],
    ['2.10.0', '2.9', false],
    ['3.2.0', '3.1', false],
    ['10.0.0', '3.1', false],
    [undefined, '3.1', false],
  ]
  for (const [version, row, fits] of rows) t.match(releaseFor(version), { release: { version: row }, fits }, version ?? 'none')
})
