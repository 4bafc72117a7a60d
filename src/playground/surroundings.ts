import type { Cluster } from '../cluster/cluster.ts'
import type { ReadObject } from '../render/offline.ts'
import type { Policy } from '../rules/policy.ts'

/** Everything that a trial may know. All of it reads; nothing here can change a cluster. */
export interface Surroundings {
  readonly policy: Policy
  /** The lookups of admission. */
  readonly cluster: Cluster
  /** @throws {UnreadableCluster} */
  readonly read: ReadObject
}

/** An object that could not be read, which is not the same as an absent one. The message says why. */
export class UnreadableCluster extends Error {
  override readonly name = 'UnreadableCluster'
}
