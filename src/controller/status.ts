import { effectiveBackend } from '../dittoserver/database.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { podName } from '../render/names.ts'
import { withCause, type PodSaid } from './pod-state.ts'
import type { Condition, DittoServerStatus } from '../dittoserver/schema.ts'

/** What one pass found out about one part of a server. */
export interface Observation {
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  /** For users, with what to do next. */
  readonly message: string
}

/** A condition that this pass decided, or `kept`: the pass did not reach it, and the last condition stays. */
export type Finding = Observation | 'kept'

/** The input of a status: what the pass observed, and what it could not do. */
export interface Findings {
  readonly config: Finding
  /** Absent if the server uses SQLite or an external database. */
  readonly database?: Finding
  readonly storage: Finding
  /** Absent while there is no StatefulSet. */
  readonly statefulSet?: StatefulSetState
  /** Why the pod is not ready, if known. */
  readonly pod?: PodSaid
  /** From the pod itself: it keeps running while its StatefulSet is recreated. */
  readonly isPodReady?: boolean
  /** Only a change of the spec helps. */
  readonly stalled?: Observation
  /** The pass failed and will be retried. */
  readonly failure?: string
  /** Undefined: not computed in this pass. */
  readonly configHash?: string
  readonly perconaClusterName?: string
}

export interface StatefulSetState {
  readonly generation: number
  readonly observedGeneration: number
  readonly readyReplicas: number
  readonly availableReplicas: number
  readonly updatedReplicas: number
  readonly currentRevision: string
  readonly updateRevision: string
}

/** The status of the StatefulSet. */
export function readStatefulSet ({ metadata, status: given }: KubernetesObject): StatefulSetState {
  const status = (given ?? {}) as Readonly<Record<string, unknown>>
  const count = (value: unknown) => typeof value === 'number' ? value : 0
  return {
    generation: metadata.generation ?? 0,
    observedGeneration: count(status.observedGeneration),
    readyReplicas: count(status.readyReplicas),
    availableReplicas: count(status.availableReplicas),
    updatedReplicas: count(status.updatedReplicas),
    currentRevision: String(status.currentRevision ?? ''),
    updateRevision: String(status.updateRevision ?? ''),
  }
}

type Conditions = Record<string, Condition | undefined>

/**
 * The status after a pass. Conditions that the pass decided are rewritten; conditions that it did not reach keep their last state. `Ready`
 * comes last, derived from the other conditions. Compatible with kstatus:
 * https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
 */
export function statusOf (server: DittoServer, findings: Findings, now: Date): DittoServerStatus {
  const { metadata, spec, status: before = {} } = server
  const { name, namespace, generation } = metadata
  const { config, database, storage, stalled, configHash = before.configHash, perconaClusterName = before.perconaClusterName } = findings
  const say = (type: string, finding: Finding | undefined) => finding && toCondition(type, finding, server, now)
  const conditions: Conditions = {
    ConfigReady: say('ConfigReady', config),
    DatabaseReady: say('DatabaseReady', database),
    StorageReady: say('StorageReady', storage),
    Available: say('Available', available(server, findings)),
  }
  conditions.Progressing = say('Progressing', progressing(spec.replicas, findings))
  conditions.Ready = say('Ready', ready(conditions, generation))
  conditions.Reconciling = conditions.Progressing?.status === 'True' ? { ...conditions.Progressing, type: 'Reconciling' } : undefined
  conditions.Stalled = say('Stalled', stalled)
  const { readyReplicas, availableReplicas } = countsOf(findings)
  return {
    observedGeneration: generation,
    replicas: spec.replicas,
    readyReplicas,
    availableReplicas,
    nfsEndpoint: `${name}-file.${namespace}.svc.cluster.local:${spec.nfsPort}`,
    phase: metadata.deletionTimestamp ? 'Deleting' : phaseOf(spec.replicas, readyReplicas, stalled),
    // A refused spec does not change the database that the server has.
    database: stalled && before.database ? before.database : effectiveBackend(spec),
    ...(configHash ? { configHash } : {}),
    ...(perconaClusterName && (stalled || effectiveBackend(spec) === 'percona') ? { perconaClusterName } : {}),
    conditions: Object.values(conditions).flatMap(condition => condition ?? []),
  }
}

/**
 * While there is no StatefulSet, and until a new one has counted its pods, only the pod itself shows whether it is ready. The first count
 * may be too low: the StatefulSet controller may not know yet that the previous StatefulSet has released the pod.
 */
function countsOf ({ statefulSet, isPodReady = false }: Findings): { readyReplicas: number, availableReplicas: number } {
  const { readyReplicas = 0, availableReplicas = 0 } = statefulSet ?? {}
  const pods = isPodReady ? 1 : 0
  return { readyReplicas: Math.max(readyReplicas, pods), availableReplicas: Math.max(availableReplicas, pods) }
}

function available ({ metadata: { name }, spec: { replicas: wanted }, status: before }: DittoServer, findings: Findings): Observation {
  if (wanted === 0) return { status: 'True', reason: 'Stopped', message: 'The server is stopped: spec.replicas is 0.' }
  const { readyReplicas: ready } = countsOf(findings)
  if (ready > 0) return { status: 'True', reason: 'MinimumReplicasAvailable', message: `${ready} of ${wanted} servers ready.` }
  if (findings.pod) {
    const { reason, message } = withCause(findings.pod, before?.conditions?.find(({ type }) => type === 'Available'))
    return { status: 'False', reason, message }
  }
  const message = `${ready} of ${wanted} servers ready; \`kubectl describe pod ${podName(name)}\` shows the state of the pod.`
  return { status: 'False', reason: 'NoReplicasAvailable', message }
}

function progressing (wanted: number, findings: Findings): Observation {
  const { statefulSet, stalled, failure, storage } = findings
  if (failure !== undefined) return { status: 'True', reason: 'ReconcileFailed', message: `${failure}; it will be retried.` }
  if (stalled) return { status: 'False', reason: stalled.reason, message: stalled.message }
  const { readyReplicas } = countsOf(findings)
  if (!statefulSet) return readyReplicas > 0 ? replacing : statefulSetPending
  const isNew = statefulSet.observedGeneration === 0
  if (!isNew && isUpdating(statefulSet)) return { status: 'True', reason: 'StatefulSetUpdating', message: 'The pod is being replaced.' }
  // The StatefulSet controller has not decided yet whether the pod is up to date.
  if (readyReplicas > statefulSet.readyReplicas) return replacing
  if (readyReplicas !== wanted) return { status: 'True', reason: 'ScalingReplicas', message: `${readyReplicas} of ${wanted} servers ready.` }
  if (storage !== 'kept' && storage.reason === 'Expanding') return { status: 'True', reason: storage.reason, message: storage.message }
  return { status: 'False', reason: 'ReconcileComplete', message: 'The server matches its spec.' }
}

/** A pod that a new StatefulSet adopted has another revision, although the StatefulSet knows only one. */
const isUpdating = (state: StatefulSetState) => state.observedGeneration < state.generation ||
  state.currentRevision !== state.updateRevision || state.updatedReplicas < state.readyReplicas

const replacing: Observation = {
  status: 'True', reason: 'StatefulSetReplacing', message: 'The StatefulSet is being replaced; its pod keeps running.',
}
const statefulSetPending: Observation = { status: 'True', reason: 'StatefulSetPending', message: 'The StatefulSet does not exist yet.' }

/**
 * `StorageReady` does not affect `Ready`, because the server keeps working while its volumes grow. A failed pass does not affect `Ready`
 * either if the server matches its spec. But a wait for this generation must not succeed before the spec is carried out.
 */
function ready (conditions: Conditions, generation: number): Observation {
  const { ConfigReady, DatabaseReady, Available, Progressing } = conditions
  const lacking = [
    isTrue(ConfigReady) ? '' : 'ConfigNotReady',
    isTrue(Available) ? '' : 'NotAvailable',
    Progressing && isTrue(Progressing) && !isHarmless(Progressing, ConfigReady?.observedGeneration === generation) ? 'StillProgressing' : '',
    !DatabaseReady || isTrue(DatabaseReady) ? '' : 'DatabaseNotReady',
  ].filter(Boolean)
  if (lacking.length === 0) return { status: 'True', reason: 'AllConditionsMet', message: 'The server is fully operational.' }
  const first = [ConfigReady, DatabaseReady, Available].find(found => found && found.status !== 'True') ?? Progressing
  return { status: 'False', reason: 'ConditionsNotMet', message: `${lacking.join(', ')}. ${first?.message ?? ''}`.trim() }
}

const isTrue = (condition: Condition | undefined) => condition?.status === 'True'

const isHarmless = ({ reason }: Condition, isCarriedOut: boolean) =>
  reason === 'Expanding' || reason === 'StatefulSetReplacing' || (reason === 'ReconcileFailed' && isCarriedOut)

type Phase = NonNullable<DittoServerStatus['phase']>

function phaseOf (wanted: number, readyReplicas: number, stalled: Observation | undefined): Phase {
  if (stalled) return 'Failed'
  if (wanted === 0) return 'Stopped'
  return readyReplicas === wanted ? 'Running' : 'Pending'
}

/** `lastTransitionTime` changes only when the status of a condition changes. */
function toCondition (type: string, finding: Finding, { metadata, status: before }: DittoServer, now: Date): Condition {
  const known = before?.conditions?.find(condition => condition.type === type)
  const time = now.toISOString().replace(/\.\d+Z$/, 'Z')
  if (finding === 'kept' && known) {
    return notChecked.test(known.message) || known.message === pending.message ? known : { ...known, message: `${known.message} Not checked since ${time}.` }
  }
  const { status, reason, message } = finding === 'kept' ? pending : finding
  const lastTransitionTime = known?.status === status ? known.lastTransitionTime : time
  return { type, status, observedGeneration: metadata.generation, lastTransitionTime, reason, message }
}

const notChecked = / Not checked since [-0-9T:Z]+\.$/
const pending: Observation = { status: 'Unknown', reason: 'Pending', message: 'Not checked yet.' }
