import type { backends, DittoServerSpec } from './schema.ts'

export type Backend = typeof backends[number]

/**
 * The database that is really used: Percona takes precedence over an external reference, which takes precedence over SQLite.
 * `database.type` is only a hint.
 */
export function effectiveBackend (spec: DittoServerSpec): Backend {
  if (spec.percona.enabled) return 'percona'
  return spec.database.postgresSecretRef ? 'external' : 'sqlite'
}
