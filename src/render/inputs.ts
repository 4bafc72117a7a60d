import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { isSameClaim, type Claim } from './claim.ts'
import type { SecretDigest } from './secret-uses.ts'
import { claimTemplates } from './volumes.ts'

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

/** What already exists of a server, as far as it has a say in what is rendered. */
export interface Existing {
  readonly statefulSet: KubernetesObject | undefined
  readonly perconaCluster: KubernetesObject | undefined
}

/** Pure. */
export function renderInputs (server: DittoServer, { configHash, externalPostgres }: SecretDigest, existing: Existing): RenderInputs {
  const templates = templatesOf(existing.statefulSet)
  const { crVersion, postgresVersion } = (existing.perconaCluster?.spec ?? {}) as { crVersion?: string, postgresVersion?: number }
  return {
    configHash,
    ...(externalPostgres ? { externalPostgres } : {}),
    ...(templates ? { existingTemplates: asWritten(templates, claimTemplates(server)) } : {}),
    ...(crVersion && postgresVersion ? { perconaVersions: { crVersion, postgresVersion } } : {}),
  }
}

/** The templates as they were rendered, without what the API server filled in. */
export function templatesOf (statefulSet: KubernetesObject | undefined): Claim[] | undefined {
  const { volumeClaimTemplates } = (statefulSet?.spec ?? {}) as { volumeClaimTemplates?: readonly Claim[] }
  return volumeClaimTemplates?.map(({ metadata: { name }, spec: { accessModes, storageClassName, resources } = {} }) => ({
    metadata: { name },
    spec: {
      ...(accessModes ? { accessModes } : {}),
      ...(storageClassName === undefined ? {} : { storageClassName }),
      ...(resources ? { resources } : {}),
    },
  }))
}

/** Of two spellings of one size, the user's: what is sent is then what was sent when the StatefulSet was made. */
const asWritten = (existing: readonly Claim[], wanted: readonly Claim[]): Claim[] => existing.map(template => {
  const same = wanted.find(({ metadata }) => metadata.name === template.metadata.name)
  return same && isSameClaim(same, template) ? same : template
})
