import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import type { PerconaClusterFact } from '../rules/facts.ts'

/** The versions in a PerconaPGCluster. */
export interface ExistingVersions { readonly crVersion?: string, readonly postgresVersion?: number }

export const versionsOf = (cluster: KubernetesObject): ExistingVersions => (cluster.spec ?? {}) as ExistingVersions

export const perconaClusterFact = (cluster: KubernetesObject): PerconaClusterFact =>
  ({ postgresVersion: versionsOf(cluster).postgresVersion })
