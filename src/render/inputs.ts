import type { Claim } from './claim.ts'

/** Everything that is rendered from besides the DittoServer itself. */
export interface RenderInputs {
  /** Digest of what the server reads when it starts: see config-hash.ts. */
  readonly configHash: string
  /** Where the connection to an external PostgreSQL is: keys of the user's Secret, or those of the Secret that we split its URL into. */
  readonly externalPostgres?: 'keys' | 'url'
  /** Templates of the StatefulSet that exists. They are immutable, so they are sent back as they are. */
  readonly existingTemplates?: readonly Claim[]
  /** Versions of the Percona cluster that exists: chosen when it was made, raised by whoever upgrades it. */
  readonly perconaVersions?: { readonly crVersion: string, readonly postgresVersion: number }
}
