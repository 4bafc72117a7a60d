/** What is known of one object of the cluster. `unknown` is not `absent`: only a definite 404 is an absence. */
export type Fact<Value> =
  | { readonly state: 'present', readonly value: Value }
  | { readonly state: 'absent' }
  | { readonly state: 'unknown', readonly reason: string }

export interface StorageClassFact {
  readonly name: string
  /** Carries `storageclass.kubernetes.io/is-default-class: "true"`. */
  readonly isDefault: boolean
  readonly allowVolumeExpansion: boolean
}

/** A Secret without its values: the length of each value in characters (Unicode code points), by key. */
export interface SecretFact {
  readonly lengths: ReadonlyMap<string, number>
}

export const present = <Value>(value: Value): Fact<Value> => ({ state: 'present', value })
export const absent: Fact<never> = { state: 'absent' }
export const unknown = (reason: string): Fact<never> => ({ state: 'unknown', reason })
