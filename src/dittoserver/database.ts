import type { DittoServerSpec } from './schema.ts'

export type Backend = 'sqlite' | 'external' | 'percona'

/** The database that is really used: Percona wins over an external reference, which wins over SQLite; `database.type` is a hint. */
export function effectiveBackend (spec: DittoServerSpec): Backend {
  if (spec.percona.enabled) return 'percona'
  return spec.database.postgresSecretRef ? 'external' : 'sqlite'
}
