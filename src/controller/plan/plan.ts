import type { Policy } from '../../rules/policy.ts'
import type { Observed, Reference } from '../observed.ts'
import type { Step } from '../step.ts'
import { configuration } from './configuration.ts'
import { database } from './database.ts'
import { databaseProtection } from './database-protection.ts'
import { deletion } from './deletion.ts'
import { finalizer } from './finalizer.ts'
import type { Concern, Part, Stop } from './part.ts'
import { refusal } from './refusal.ts'
import { secrets } from './secrets.ts'
import { statefulSet } from './stateful-set.ts'

/**
 * In this order: steps that protect data come before checks that may refuse the spec, and objects that the pod reads come before the pod.
 */
const concerns: readonly Concern[] = [deletion, finalizer, databaseProtection, refusal, secrets, configuration, database, statefulSet]

export interface Plan {
  readonly parts: readonly Part[]
  readonly steps: readonly Step[]
  readonly asks: readonly Reference[]
  readonly stop: Stop | undefined
}

/** The steps for one server, and the conditions to report. Pure: the same observation gives the same plan. */
export function plan (observed: Observed, policy: Policy): Plan {
  const parts: Part[] = []
  for (const concern of concerns) {
    const part = concern(observed, policy)
    parts.push(part)
    if (part.stop || part.asks?.length) break
  }
  const last = parts.at(-1)
  return { parts, steps: parts.flatMap(({ steps }) => steps), asks: last?.asks ?? [], stop: last?.stop }
}
