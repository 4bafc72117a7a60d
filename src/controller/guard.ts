import { acknowledgeAnnotation } from '../dittoserver/api.ts'
import { effectiveBackend } from '../dittoserver/database.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { portConflicts } from '../dittoserver/ports.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { databaseAnnotation } from '../render/stateful-set.ts'
import { sentence } from '../rules/finding.ts'
import { judge, prepare } from '../rules/judge.ts'
import type { Policy } from '../rules/policy.ts'
import { rules } from '../rules/table.ts'
import { perconaDisable } from '../rules/percona.ts'
import type { Observation } from './status.ts'

export interface Refusal {
  readonly condition: 'config' | 'database'
  readonly observation: Observation
}

/** Those that ask the cluster are left out: a class that is deleted later must not stop a server that runs. */
const staticRules = rules.filter(({ needs }) => !needs)

const nothing = () => ({ state: 'unknown' as const, reason: '' })
const noFacts = { storageClass: nothing, storageClasses: nothing, secret: nothing, perconaServed: nothing }

const refusal = (condition: Refusal['condition'], reason: string, message: string): Refusal =>
  ({ condition, observation: { status: 'False', reason, message } })

/**
 * The rules of admission once more: the object may have got in while the webhook was away. What is refused never reaches
 * the cluster; the last good objects stay as they are. Pure.
 */
export function refusalOf (
  object: KubernetesObject, server: DittoServer, policy: Policy, statefulSet: KubernetesObject | undefined,
): Refusal | undefined {
  const broken = portConflicts(server.spec).filter(({ real }) => real)
  if (broken.length > 0) {
    return refusal('config', 'PortConflict', broken.map(({ field, port, explanation }) => `${field}: ${port} is ${explanation}`).join('; '))
  }
  const { errors } = judge(prepare({ operation: 'CREATE', object }, policy, staticRules), noFacts)
  if (errors.length > 0) return refusal('config', 'SpecRefused', errors.map(sentence).join('; '))
  const before = statefulSet?.metadata.annotations?.[databaseAnnotation]
  const after = effectiveBackend(server.spec)
  if (before === undefined || before === after || (before === 'percona' && acknowledges(server))) return undefined
  return refusal('database', 'DatabaseChangeRefused',
    `The server was made with the database '${before}' and cannot move to '${after}': its users and shares would be gone.`)
}

const acknowledges = ({ metadata: { annotations } }: DittoServer) =>
  (annotations[acknowledgeAnnotation] ?? '').split(',').some(part => part.trim() === perconaDisable.id)
