import type { KindName } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import type { Occurrence } from './events.ts'

interface Target {
  readonly kind: KindName
  readonly name: string
  /** The event to record when the step is done. */
  readonly event?: Occurrence
}

/** A create by POST, which fails if an object with that name exists: nothing is adopted. */
export interface Create extends Target { readonly do: 'create', readonly object: KubernetesObject }

/** A dry-run POST that changes nothing. It shows whether the API server would accept the object if it did not exist yet. */
export interface Rehearse extends Target { readonly do: 'rehearse', readonly object: KubernetesObject }

/** Server-side apply to exactly the object that was observed. */
export interface Apply extends Target {
  readonly do: 'apply'
  readonly object: KubernetesObject
  readonly uid: string
  /** Only if the object has not been written since. */
  readonly resourceVersion?: string
  /** Managers whose fields are absorbed first, so that fields that we no longer render are removed: see field-managers.ts. */
  readonly absorb: readonly string[]
}

/** A JSON merge patch. */
export interface Patch extends Target {
  readonly do: 'patch'
  readonly patch: object
  /** If the patch is refused (403, 422) or the object is absent (404), this is recorded, and the next steps continue. */
  readonly mayBeRefused?: true
}

export interface Delete extends Target {
  readonly do: 'delete'
  readonly uid: string
  /** Only if nobody has written it since. */
  readonly resourceVersion?: string
  readonly propagation: 'Background' | 'Orphan'
}

/** One write. A plan is a list of them. */
export type Step = Create | Rehearse | Apply | Patch | Delete

export type StepResult =
  /** `object`: the reply of the API server; undefined after a deletion. */
  | { readonly step: Step, readonly outcome: 'done', readonly object: KubernetesObject | undefined }
  /** An object with that name exists that was not observed before. */
  | { readonly step: Step, readonly outcome: 'exists' }
  | { readonly step: Step, readonly outcome: 'refused', readonly message: string }
  /** The next steps were not started. */
  | { readonly step: Step, readonly outcome: 'failed', readonly error: unknown }
