/** What is known about one object of the cluster. `unknown` is not `absent`: only a definite 404 means that the object does not exist. */
export type Fact<Value> =
  | { readonly state: 'present', readonly value: Value }
  | { readonly state: 'absent' }
  | { readonly state: 'unknown', readonly reason: string }

export interface StorageClassFact {
  readonly name: string
  /** Has the annotation `storageclass.kubernetes.io/is-default-class: "true"`. */
  readonly isDefault: boolean
  readonly allowVolumeExpansion: boolean
}

/** A Secret without its values: the length of each value in characters (Unicode code points), by key. */
export interface SecretFact {
  readonly lengths: ReadonlyMap<string, number>
}

/** The Percona operator, according to its CustomResourceDefinition. */
export interface PerconaOperatorFact {
  /** Such as `2.9.0`; undefined if the CustomResourceDefinition does not contain it. */
  readonly version: string | undefined
}

/** A PerconaPGCluster. */
export interface PerconaClusterFact {
  readonly postgresVersion: number | undefined
}

/** The facts about the cluster that were looked up: exactly those that the rules need. */
export interface Facts {
  storageClass (name: string): Fact<StorageClassFact>
  storageClasses (): Fact<readonly StorageClassFact[]>
  secret (name: string): Fact<SecretFact>
  perconaServed (): Fact<true>
  perconaOperator (): Fact<PerconaOperatorFact>
  perconaCluster (name: string): Fact<PerconaClusterFact>
}

export const present = <Value>(value: Value): Fact<Value> => ({ state: 'present', value })
export const absent: Fact<never> = { state: 'absent' }
export const unknown = (reason: string): Fact<never> => ({ state: 'unknown', reason })

const notAsked = () => unknown('not asked')
/** For rules that need no facts. */
export const noFacts: Facts = {
  storageClass: notAsked,
  storageClasses: notAsked,
  secret: notAsked,
  perconaServed: notAsked,
  perconaOperator: notAsked,
  perconaCluster: notAsked,
}
