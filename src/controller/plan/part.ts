import type { Observed, Reference } from '../observed.ts'
import type { Observation } from '../status.ts'
import type { Step, StepResult } from '../step.ts'
import type { Policy } from '../../rules/policy.ts'

/** The plan of one concern. */
export interface Part {
  readonly condition?: 'ConfigReady' | 'DatabaseReady' | 'StorageReady'
  /** The condition to report after the steps; undefined: the condition does not apply to this server. */
  readonly says?: (results: readonly StepResult[]) => Observation | undefined
  readonly steps: readonly Step[]
  /** Objects that must be read by name before this concern can be planned. */
  readonly asks?: readonly Reference[]
  /** Why the parts after this one are not planned. */
  readonly stop?: Stop
}

export type Stop =
  /** The next steps depend on the results of these steps: plan again with the results. */
  | { readonly why: 'continues' }
  /** Only a change of the spec helps. */
  | { readonly why: 'refused', readonly observation: Observation }
  /** The pass is retried, and the status reports the failure. */
  | { readonly why: 'failed', readonly message: string }
  /** The server is deleted, or will be. */
  | { readonly why: 'deleting' }

export type Concern = (observed: Observed, policy: Policy) => Part

/** A part with nothing to do. */
export const nothing: Part = { steps: [] }
