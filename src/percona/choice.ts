import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import type { DittoServerSpec } from '../dittoserver/schema.ts'
import { versionsOf, type ExistingVersions } from './existing-cluster.ts'
import { alternatives, compareVersions, defaultPostgresVersion, postgresVersionsOf, releaseFor, type PerconaRelease } from './releases.ts'

const registry = 'docker.io/percona'

/** Versions and images of a PostgreSQL cluster. */
export interface PerconaChoice {
  /** Absent: the Percona operator fills in its default. */
  readonly crVersion?: string
  readonly postgresVersion: number
  readonly images: {
    /** Absent: none is known for this version, and the value in the cluster is not changed. */
    readonly postgres?: string
    readonly pgBouncer: string
    readonly pgBackRest: string
  }
  /** Why no cluster can be created. */
  readonly impossible?: string
  /** Notes for the user, one sentence each. */
  readonly notes: readonly string[]
}

type Wanted = Pick<DittoServerSpec['percona'], 'postgresVersion' | 'images'>

/**
 * The versions are chosen when the cluster is created, for the `installed` Percona operator. After that, users upgrade the cluster, and the
 * images follow the versions of the cluster. So an upgrade of the Percona operator does not restart a database. Pure.
 */
export function choosePercona (wanted: Wanted, installed: string | undefined, existing: KubernetesObject | undefined): PerconaChoice {
  const has = existing ? versionsOf(existing) : {}
  const crVersion = existing ? has.crVersion : installed
  const postgresVersion = has.postgresVersion ?? wanted.postgresVersion ?? defaultPostgresVersion
  const { release } = releaseFor(crVersion ?? installed)
  const isOffered = postgresVersion in release.postgres
  return {
    ...(crVersion === undefined ? {} : { crVersion }),
    postgresVersion,
    images: imagesFor(release, postgresVersion, wanted.images),
    ...(!existing && !isOffered ? { impossible: `${offerOf(installed)}, not ${postgresVersion}` } : {}),
    notes: [...unknownRelease(crVersion ?? installed), ...existing ? notesOn(has, wanted, installed) : []],
  }
}

function imagesFor (release: PerconaRelease, postgresVersion: number, own: Wanted['images']): PerconaChoice['images'] {
  const tag = release.postgres[postgresVersion]
  const postgres = own.postgres || (tag && `${registry}/percona-distribution-postgresql:${tag}`)
  return {
    ...(postgres ? { postgres } : {}),
    pgBouncer: own.pgBouncer || `${registry}/percona-pgbouncer:${release.pgBouncer}`,
    pgBackRest: own.pgBackRest || `${registry}/percona-pgbackrest:${release.pgBackRest}`,
  }
}

function notesOn ({ crVersion, postgresVersion }: ExistingVersions, wanted: Wanted, installed: string | undefined): string[] {
  const notes: string[] = []
  if (wanted.postgresVersion !== undefined && postgresVersion !== undefined && wanted.postgresVersion !== postgresVersion) {
    notes.push(`percona.postgresVersion is ${wanted.postgresVersion}, but ${runs(postgresVersion)}.`)
  }
  if (installed !== undefined && crVersion !== undefined && compareVersions(installed, crVersion) > 0) {
    notes.push(`The cluster runs as of Percona operator ${crVersion}, and ${installed} is installed: raise crVersion of the PerconaPGCluster to upgrade it.`)
  }
  return notes
}

/** The error if the requested version of PostgreSQL is not in the row of the installed operator. */
export const offerOf = (installed: string | undefined): string =>
  `Percona operator ${installed ?? 'of an unknown version'} offers PostgreSQL ${alternatives(postgresVersionsOf(releaseFor(installed).release))}`

/** A warning if a version of the Percona operator has no row of its own; empty otherwise. */
export function unknownRelease (version: string | undefined): string[] {
  const { release, fits } = releaseFor(version)
  if (fits) return []
  const found = version === undefined ? 'The version of the Percona operator is not known' : `No images are known for Percona operator ${version}`
  return [`${found}: the images for ${release.version} are used.`]
}

/** The message if `percona.postgresVersion` differs from the version of an existing cluster. */
export const runs = (has: number): string => `the PostgreSQL cluster runs ${has}; upgrade it with a PerconaPGUpgrade first, or set ${has}`
