import { growthOf, type GrowingClaim } from '../controller/plan/claim-growth.ts'
import { sizeOf, type Claim } from '../render/claim.ts'
import type { Branch, State } from './tree.ts'

/** A volume of a server: its state, its size, and the progress of its growth. Pure. */
export function claimBranch (claim: Claim): Omit<Branch, 'kind' | 'name'> {
  const requested = sizeOf(claim)
  const { phase = 'Pending', capacity: { storage: capacity } = {} } = claim.status ?? {}
  const growth = growthOf(claim)
  const size = capacity === undefined ? `${requested} requested` : growth ? `${capacity} of ${requested}, ${growth.failed ? 'cannot grow' : 'growing'}` : capacity
  return {
    state: stateOf(phase, growth),
    detail: `${phase}, ${size}`,
    ...growth ? { message: growth.message } : {},
    facts: { phase, requested, capacity: capacity ?? null, storageClassName: claim.spec?.storageClassName ?? null },
  }
}

function stateOf (phase: string, growth: GrowingClaim | undefined): State {
  if (growth) return growth.failed ? 'wrong' : 'progress'
  return phase === 'Bound' ? 'ok' : phase === 'Lost' ? 'wrong' : 'progress'
}
