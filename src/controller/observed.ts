import type { KindName } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import type { SecretData } from '../render/secret-uses.ts'

/** What is known about one object at the start of a pass. */
export type Known =
  | { readonly state: 'present', readonly object: KubernetesObject, /** Read by name in this pass. */ readonly read?: true }
  /** Confirmed by a complete list without the object, or by a 404. */
  | { readonly state: 'absent' }
  /** Not among the objects with our label. An object without the label may exist: only a read by name can tell. */
  | { readonly state: 'unlisted' }
  /** There is no complete list and no answer. An unknown state must never lead to a deletion. */
  | { readonly state: 'unknown', readonly reason: string }

export interface Reference { readonly kind: KindName, readonly name: string }

/** What is known about the Secrets that the pod reads. */
export type SecretsKnown =
  /** The StatefulSet was rendered from exactly these versions, so its hash is still correct. */
  | { readonly state: 'unchanged' }
  /** By name. `data` is undefined if the Secret does not exist; `version` is `uid@resourceVersion`. */
  | { readonly state: 'read', readonly secrets: ReadonlyMap<string, SecretAsRead> }
  | { readonly state: 'unknown', readonly reason: string }

export interface SecretAsRead {
  readonly data: SecretData
  readonly version: string
  /** Absent: `Opaque`. */
  readonly type?: string
  /** The data is immutable. */
  readonly immutable?: true
}

/** All inputs of a pass in one value; nothing is read later. */
export interface Observed {
  /** The DittoServer as stored. */
  readonly object: KubernetesObject
  /** The same object with all defaults filled in. */
  readonly server: DittoServer
  /** By `kind/name`. */
  readonly objects: ReadonlyMap<string, Known>
  readonly secrets: SecretsKnown
  /** The Percona operator is installed, and its version is known if it can be. */
  readonly perconaServed: boolean
  /** Version of the Percona operator; undefined if unknown. */
  readonly perconaOperator: string | undefined
  /** The StorageClass of the volumes, if it does not exist and a volume still waits for it. */
  readonly missingClass?: string
  /** A new random key, for a server that does not have one yet. */
  readonly newSigningKey: string
}

export const referenceKey = ({ kind, name }: Reference) => `${kind}/${name}`

const notObserved: Known = { state: 'unknown', reason: 'it was not read in this pass' }

export const known = (observed: Observed, kind: KindName, name: string): Known =>
  observed.objects.get(referenceKey({ kind, name })) ?? notObserved

/** The object, if it is present. */
export function present (observed: Observed, kind: KindName, name: string): KubernetesObject | undefined {
  const found = known(observed, kind, name)
  return found.state === 'present' ? found.object : undefined
}

/** The same observation with some objects replaced by newer states. */
export function withKnown (observed: Observed, found: Iterable<readonly [Reference, Known]>): Observed {
  const objects = new Map(observed.objects)
  for (const [reference, known] of found) objects.set(referenceKey(reference), known)
  return { ...observed, objects }
}
