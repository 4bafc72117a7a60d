import type { Fact, SecretFact, StorageClassFact } from '../rules/facts.ts'

/**
 * What admission asks of a cluster. Two implementations: the live one (an API server) and the embedded one
 * (a folder of manifests). A lookup that needs no request answers at once. None ever rejects: what could not be learned is
 * `unknown`, with the reason.
 */
export interface Cluster {
  /** Begins to watch and resolves when the first complete list is there; waits as long as the API server is away. */
  start (): Promise<void>
  stop (): Promise<void>
  /** Undefined when lookups can be trusted, otherwise the reason for `/readyz`. */
  notReady (): string | undefined

  storageClass (name: string, signal: AbortSignal): Fact<StorageClassFact> | Promise<Fact<StorageClassFact>>
  /** Every StorageClass, sorted by name, from the cache: no request. */
  storageClasses (): Fact<readonly StorageClassFact[]>
  secret (namespace: string, name: string, signal: AbortSignal): Fact<SecretFact> | Promise<Fact<SecretFact>>
  /** Whether `perconapgclusters.pgv2.percona.com` is served, at version v2. */
  perconaServed (signal: AbortSignal): Fact<true> | Promise<Fact<true>>
}
