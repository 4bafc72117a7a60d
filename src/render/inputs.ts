import type { Claim } from './claim.ts'
import type { SecretEntry } from './config-hash.ts'

/** Everything that is rendered from besides the DittoServer itself. */
export interface RenderInputs {
  /** Content of the Secrets that the pod uses, in any order. */
  readonly secrets: readonly SecretEntry[]
  /** Where the connection to an external PostgreSQL is: keys of the user's Secret, or those of the Secret that we split its URL into. */
  readonly externalPostgres?: 'keys' | 'url'
  /** Templates of the StatefulSet that exists. They are immutable, so they are sent back as they are. */
  readonly existingTemplates?: readonly Claim[]
  /** Versions of the Percona cluster that exists: chosen when it was made, raised by whoever upgrades it. */
  readonly perconaVersions?: { readonly crVersion: string, readonly postgresVersion: number }
}
