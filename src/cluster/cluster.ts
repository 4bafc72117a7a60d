import type { Fact, PerconaClusterFact, PerconaOperatorFact, SecretFact, StorageClassFact } from '../rules/facts.ts'

/**
 * The lookups of admission in a cluster. There are two implementations: the live one (an API server) and the embedded one (a folder of
 * manifests). A lookup that needs no request answers immediately. A lookup never rejects: if something cannot be read, the answer is
 * `unknown`, with the reason.
 */
export interface Cluster {
  /** Starts the watch and resolves when the first complete list has arrived; waits as long as the API server is unreachable. */
  start (): Promise<void>
  stop (): Promise<void>
  /** Why the cached StorageClasses cannot be relied on; each lookup is then a live read. Undefined: they can. */
  stale (): string | undefined

  storageClass (name: string, signal: AbortSignal): Fact<StorageClassFact> | Promise<Fact<StorageClassFact>>
  /** All StorageClasses, sorted by name, from the cache: no request. */
  storageClasses (): Fact<readonly StorageClassFact[]>
  secret (namespace: string, name: string, signal: AbortSignal): Fact<SecretFact> | Promise<Fact<SecretFact>>
  /** Whether `perconapgclusters.pgv2.percona.com` is served, at version v2. */
  perconaServed (signal: AbortSignal): Fact<true> | Promise<Fact<true>>
  /** Absent: the CustomResourceDefinition does not exist. */
  perconaOperator (signal: AbortSignal): Fact<PerconaOperatorFact> | Promise<Fact<PerconaOperatorFact>>
  perconaCluster (namespace: string, name: string, signal: AbortSignal): Fact<PerconaClusterFact> | Promise<Fact<PerconaClusterFact>>
}
