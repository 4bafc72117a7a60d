import { configurationObjects } from '../../render/index.ts'
import { known, type Observed, type Reference } from '../observed.ts'
import type { Step } from '../step.ts'
import type { Part } from './part.ts'
import { foreignObject, unknownObject } from './problem.ts'
import { remove, settle } from './settle.ts'
import { mayBeTakenOver } from './takeover.ts'

/** The ConfigMap and the Services. They are applied before the pod, which needs its configuration and its DNS name. */
export function configuration (observed: Observed): Part {
  const steps: Step[] = []
  const asks: Reference[] = []
  for (const { kind, name, object } of configurationObjects(observed.server)) {
    if (!object) {
      if (mayBeTakenOver(observed) && known(observed, kind, name).state === 'unlisted') asks.push({ kind, name })
      steps.push(...remove(observed, kind, name))
      continue
    }
    const { steps: needed, foreign, unknown } = settle(observed, kind, object)
    if (foreign) return foreignObject(foreign, steps)
    if (unknown !== undefined) return unknownObject(unknown, steps)
    steps.push(...needed)
  }
  return { condition: 'ConfigReady', says: () => ({ status: 'True', reason: 'ConfigValid', message: 'The configuration is in place.' }), steps, asks }
}
