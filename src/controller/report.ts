import { effectiveBackend } from '../dittoserver/database.ts'
import type { Claim } from '../render/claim.ts'
import { childNames, podName } from '../render/names.ts'
import { claimNames } from '../render/volumes.ts'
import { failureReason } from '../cluster/failure-reason.ts'
import { ApiError } from '../cluster/api-error.ts'
import { present, type Observed } from './observed.ts'
import { digestOf } from './plan/inputs.ts'
import { ownStatefulSet } from './plan/ownership.ts'
import type { Part } from './plan/part.ts'
import type { Plan } from './plan/plan.ts'
import { isReady, podTrouble } from './pod-state.ts'
import { readStatefulSet, type Finding, type Findings } from './status.ts'
import type { StepResult } from './step.ts'

/** The findings of a pass: from its observation, its plan and the results. Pure. */
export function findingsOf (observed: Observed, { parts, stop }: Plan, results: readonly StepResult[]): Findings {
  const { server } = observed
  const failed = results.find(result => result.outcome === 'failed')
  const reached = failed ? parts.slice(0, parts.findIndex(({ steps }) => steps.includes(failed.step))) : parts
  const find = (condition: Part['condition']): Finding =>
    reached.findLast(part => part.condition === condition && part.says)?.says?.(results) ?? 'kept'
  const refusal = stop?.why === 'refused' ? stop.observation : undefined
  const failure = failed ? failureOf(failed) : stop?.why === 'failed' ? stop.message : undefined
  const isCarriedOut = !failed && !refusal
  return {
    config: find('ConfigReady'),
    ...(hasDatabase(observed, refusal !== undefined) ? { database: find('DatabaseReady') } : {}),
    storage: find('StorageReady'),
    ...workloadOf(observed),
    ...(refusal ? { stalled: { ...refusal, status: 'True' } } : {}),
    ...(failure === undefined ? {} : { failure }),
    ...(isCarriedOut ? configHashOf(observed) : {}),
    ...(effectiveBackend(server.spec) === 'percona' && !refusal ? { perconaClusterName: childNames(server.metadata.name).perconaCluster } : {}),
  }
}

/** A refused spec says nothing about the existing database. */
const hasDatabase = ({ server: { spec, status } }: Observed, isRefused: boolean): boolean =>
  isRefused ? (status?.conditions ?? []).some(({ type }) => type === 'DatabaseReady') : effectiveBackend(spec) === 'percona'

/** If the StatefulSet was just deleted to be recreated, it cannot be read any more. */
function configHashOf (observed: Observed): Pick<Findings, 'configHash'> {
  const { configHash } = digestOf(observed) ?? {}
  return configHash ? { configHash } : {}
}

function workloadOf (observed: Observed): Pick<Findings, 'statefulSet' | 'pod' | 'isPodReady'> {
  const { name } = observed.server.metadata
  const statefulSet = ownStatefulSet(observed)
  // The deletion increased its generation, which the StatefulSet controller never observes: this does not mean an update.
  const counts = statefulSet?.metadata.deletionTimestamp === undefined ? statefulSet : undefined
  const pod = present(observed, 'Pod', podName(name))
  const claims = claimNames(name).flatMap(claim => (present(observed, 'PersistentVolumeClaim', claim) ?? []) as unknown as Claim)
  const trouble = podTrouble(podName(name), pod, claims)
  return {
    ...(counts ? { statefulSet: readStatefulSet(counts) } : {}),
    ...(trouble ? { pod: trouble } : {}),
    isPodReady: isReady(pod),
  }
}

/** The message of the API server explains a refusal best; other errors have no message for users. */
function failureOf ({ step, error }: Extract<StepResult, { outcome: 'failed' }>): string {
  return error instanceof ApiError ? error.message : failureReason(error, `${step.do} ${step.kind}`)
}
