import { compareQuantities } from '../../dittoserver/quantity.ts'
import { sizeOf, type Claim } from '../../render/claim.ts'
import { stableText } from '../pod-text.ts'

/** A claim whose expansion was requested but is not complete. */
export interface GrowingClaim {
  readonly claim: string
  /** The progress of the expansion, or why it failed and what to do. */
  readonly message: string
  /** The driver has given up, or reports an error. */
  readonly failed: boolean
}

/**
 * The progress of a claim expansion: first the driver expands the volume, then the node expands the file system. Undefined: the claim has
 * the requested size. Pure. https://kubernetes.io/docs/concepts/storage/persistent-volumes/#recovering-from-failure-when-expanding-volumes
 */
export function growthOf (claim: Claim | undefined): GrowingClaim | undefined {
  const capacity = claim?.status?.capacity?.storage
  const size = sizeOf(claim)
  if (!claim || capacity === undefined || (compareQuantities(size, capacity) ?? 0) <= 0) return undefined
  const what = { claim: claim.metadata.name, from: capacity, to: size }
  return failure(claim, what) ?? progress(claim, what)
}

interface Growth { readonly claim: string, readonly from: string, readonly to: string }

const stageOf = ({ status }: Claim) => status?.allocatedResourceStatuses?.storage ?? ''
const trueCondition = ({ status }: Claim, type: string) => status?.conditions?.find(condition => condition.type === type && condition.status === 'True')

function failure (claim: Claim, { claim: name, from, to }: Growth): GrowingClaim | undefined {
  const error = trueCondition(claim, 'ControllerResizeError') ?? trueCondition(claim, 'NodeResizeError')
  const isFinal = stageOf(claim).endsWith('Infeasible')
  if (!error && !isFinal) return undefined
  const cause = error?.message ? `: ${stableText(error.message)}` : ''
  const next = isFinal ? 'Ask the storage administrator whether the volume can be that large.' : 'The driver will retry.'
  return { claim: name, failed: true, message: `claim ${name} cannot grow from ${from} to ${to}${cause}. ${next}` }
}

function progress (claim: Claim, { claim: name, from, to }: Growth): GrowingClaim {
  const stage = stageOf(claim)
  if (trueCondition(claim, 'FileSystemResizePending') || stage === 'NodeResizePending') {
    const message = `claim ${name}: the volume has grown to ${to}, but the node has not resized the file system yet; ` +
      'if that never happens, delete the pod once.'
    return { claim: name, failed: false, message }
  }
  const driver = trueCondition(claim, 'Resizing') || stage !== '' ? 'its driver is resizing the volume' : 'its driver has not started'
  return { claim: name, failed: false, message: `claim ${name} grows from ${from} to ${to}; ${driver}.` }
}
