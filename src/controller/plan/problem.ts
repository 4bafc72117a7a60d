import type { Part } from './part.ts'
import type { Foreign } from './settle.ts'

/** An object with that name belongs to something else; it is never adopted. */
export function foreignObject ({ kind, name }: Foreign, steps: Part['steps'] = []): Part {
  const message = `${kind} ${name} exists and does not belong to this DittoServer; rename the DittoServer, or delete that object`
  return {
    condition: 'ConfigReady',
    says: () => ({ status: 'False', reason: 'ForeignObject', message }),
    steps,
    stop: { why: 'failed', message },
  }
}

/** No decision is possible without the unknown object. */
export const unknownObject = (reason: string, steps: Part['steps'] = []): Part => ({ steps, stop: { why: 'failed', message: reason } })
