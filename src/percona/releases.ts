/**
 * The versions and images for each release of the Percona operator for PostgreSQL. Add new releases here.
 * From https://docs.percona.com/percona-operator-for-postgresql/3.1.0/images.html, and the same page of each version.
 */
export interface PerconaRelease {
  /** Version of the operator; a row applies to all its patch releases. */
  readonly version: `${number}.${number}`
  /** Tags of the images, by their name at `docker.io/percona`; PostgreSQL by major version. */
  readonly pgBouncer: string
  readonly pgBackRest: string
  readonly postgres: Readonly<Record<number, string>>
}

/** Oldest first. */
export const perconaReleases: readonly [PerconaRelease, ...PerconaRelease[]] = [
  // 2.8.0 does not support PostgreSQL 18.
  { version: '2.8', pgBouncer: '1.25.0-1', pgBackRest: '2.57.0-1', postgres: { 16: '16.11-2', 17: '17.7-2' } },
  { version: '2.9', pgBouncer: '1.25.1-1', pgBackRest: '2.58.0-1', postgres: { 16: '16.13-1', 17: '17.9-1', 18: '18.3-1' } },
  { version: '3.0', pgBouncer: '1.25.2-1', pgBackRest: '2.58.0-2', postgres: { 16: '16.14-1', 17: '17.10-1', 18: '18.4-1' } },
  { version: '3.1', pgBouncer: '1.25.2-6', pgBackRest: '2.59.0-1', postgres: { 16: '16.15-1', 17: '17.11.1-1', 18: '18.6.1-1' } },
]

/** All rows support it, so that one manifest has the same result on every cluster. */
export const defaultPostgresVersion = 16

export const postgresVersionsOf = ({ postgres }: PerconaRelease): number[] => Object.keys(postgres).map(Number)

/** The versions in any row. */
export const postgresVersions: readonly number[] = [...new Set(perconaReleases.flatMap(postgresVersionsOf))].sort((a, b) => a - b)

export interface ReleaseFor {
  readonly release: PerconaRelease
  /** Whether the row is for exactly that version. */
  readonly fits: boolean
}

/**
 * The row for a version such as `2.8.2`: its own, otherwise the last earlier one, otherwise the oldest; the newest if the version is
 * unknown.
 */
export function releaseFor (version: string | undefined): ReleaseFor {
  const [oldest] = perconaReleases
  if (version === undefined) return { release: perconaReleases.at(-1) ?? oldest, fits: false }
  const release = perconaReleases.findLast(row => compareVersions(row.version, version) <= 0) ?? oldest
  return { release, fits: compareVersions(release.version, version) === 0 }
}

/** Compares major, then minor versions; patch releases are equal. */
export function compareVersions (a: string, b: string): number {
  const [aMajor = 0, aMinor = 0] = a.split('.').map(Number)
  const [bMajor = 0, bMinor = 0] = b.split('.').map(Number)
  return aMajor - bMajor || aMinor - bMinor
}

/** For a message: `16, 17 or 18`. */
export const alternatives = (versions: readonly (number | string)[]): string =>
  versions.length > 1 ? `${versions.slice(0, -1).join(', ')} or ${versions.at(-1)}` : versions.join()
