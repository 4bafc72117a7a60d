import { effectiveBackend } from '../../dittoserver/database.ts'
import type { DittoServer } from '../../dittoserver/dittoserver.ts'
import { portConflicts } from '../../dittoserver/ports.ts'
import type { KubernetesObject } from '../../cluster/kubernetes-object.ts'
import { databaseAnnotation } from '../../render/stateful-set.ts'
import { acknowledges } from '../../rules/acknowledgement.ts'
import { noFacts } from '../../rules/facts.ts'
import { sentence } from '../../rules/finding.ts'
import { judge, prepare } from '../../rules/judge.ts'
import type { Policy } from '../../rules/policy.ts'
import { rules } from '../../rules/table.ts'
import { perconaDisable } from '../../rules/percona.ts'
import type { Observed } from '../observed.ts'
import type { Observation } from '../status.ts'
import { ownStatefulSet } from './ownership.ts'
import { nothing, type Part } from './part.ts'

export interface Refusal {
  readonly condition: 'ConfigReady' | 'DatabaseReady'
  readonly observation: Observation
}

/** Rules that need the cluster are excluded: a StorageClass that is deleted later must not stop a running server. */
const staticRules = rules.filter(({ needs }) => !needs)

const refused = (condition: Refusal['condition'], reason: string, message: string): Refusal =>
  ({ condition, observation: { status: 'False', reason, message } })

/** A spec that the rules deny is never carried out; the last valid objects are kept. */
export function refusal (observed: Observed, policy: Policy): Part {
  const { object, server } = observed
  const refused = refusalOf(object, server, policy, ownStatefulSet(observed))
  if (!refused) return nothing
  const { condition, observation } = refused
  return { condition, says: () => observation, steps: [], stop: { why: 'refused', observation } }
}

/** Applies the admission rules again, because the object may have been stored while the webhook was unavailable. Pure. */
export function refusalOf (
  object: KubernetesObject, server: DittoServer, policy: Policy, statefulSet: KubernetesObject | undefined,
): Refusal | undefined {
  const broken = portConflicts(server.spec).filter(({ real }) => real)
  if (broken.length > 0) {
    return refused('ConfigReady', 'PortConflict', broken.map(({ field, port, explanation }) => `${field}: ${port} is ${explanation}`).join('; '))
  }
  const { errors } = judge(prepare({ operation: 'CREATE', object }, policy, staticRules), noFacts)
  if (errors.length > 0) return refused('ConfigReady', 'SpecRefused', errors.map(sentence).join('; '))
  const before = statefulSet?.metadata.annotations?.[databaseAnnotation]
  const after = effectiveBackend(server.spec)
  if (before === undefined || before === after || (before === 'percona' && acknowledges(server, perconaDisable.id))) return undefined
  return refused('DatabaseReady', 'DatabaseChangeRefused',
    `The server was created with the database '${before}' and cannot move to '${after}': its users and shares would be lost.`)
}
