import { effectiveBackend } from '../dittoserver/database.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import type { Condition, DittoServerStatus } from '../dittoserver/schema.ts'

/** What one pass found out about one part of a server. */
export interface Observation {
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  /** For a person, with what to do next. */
  readonly message: string
}

/** Everything that a status is made of: what this pass saw, and what it could not do. */
export interface Observed {
  readonly config: Observation
  /** Absent where the server has a database of its own. */
  readonly database?: Observation
  readonly storage: Observation
  /** Absent until there is a StatefulSet. */
  readonly statefulSet?: StatefulSetState
  /** The pass stopped for a reason that only an edit can mend. */
  readonly stalled?: Observation
  /** The pass failed and will be tried again. */
  readonly failure?: string
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

type Conditions = Record<string, Observation | undefined>

/**
 * The status of a pass, from this pass alone; `Ready` comes last, from the conditions before it. `lastTransitionTime`
 * moves only where the status of a condition changes. Reads like kstatus: https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
 */
export function statusOf (server: DittoServer, observed: Observed, now: Date): DittoServerStatus {
  const { metadata: { name, namespace, generation }, spec } = server
  const { config, database, storage, statefulSet, stalled, configHash, perconaClusterName } = observed
  const conditions: Conditions = {
    ConfigReady: config, DatabaseReady: database, StorageReady: storage, Available: available(spec.replicas, statefulSet),
  }
  conditions.Progressing = progressing(spec.replicas, observed)
  conditions.Ready = ready(conditions)
  conditions.Reconciling = conditions.Progressing?.status === 'True' ? conditions.Progressing : undefined
  conditions.Stalled = stalled
  return {
    observedGeneration: generation,
    replicas: spec.replicas,
    readyReplicas: statefulSet?.readyReplicas ?? 0,
    availableReplicas: statefulSet?.availableReplicas ?? 0,
    nfsEndpoint: `${name}-file.${namespace}.svc.cluster.local:${spec.nfsPort}`,
    phase: phaseOf(spec.replicas, observed),
    ...(configHash ? { configHash } : {}),
    ...(perconaClusterName && effectiveBackend(spec) === 'percona' ? { perconaClusterName } : {}),
    conditions: Object.entries(conditions).flatMap(([type, found]) => found ? [toCondition(type, found, server, now)] : []),
  }
}

function available (wanted: number, statefulSet: StatefulSetState | undefined): Observation {
  if (wanted === 0) return { status: 'True', reason: 'Stopped', message: 'The server is stopped: spec.replicas is 0.' }
  const ready = statefulSet?.readyReplicas ?? 0
  return ready > 0
    ? { status: 'True', reason: 'MinimumReplicasAvailable', message: `${ready} of ${wanted} servers ready.` }
    : { status: 'False', reason: 'NoReplicasAvailable', message: `${ready} of ${wanted} servers ready; see the events of the pod.` }
}

function progressing (wanted: number, { statefulSet, stalled, failure }: Observed): Observation {
  if (failure !== undefined) return { status: 'True', reason: 'ReconcileFailed', message: `${failure}; it is tried again.` }
  if (stalled) return { status: 'False', reason: stalled.reason, message: stalled.message }
  if (!statefulSet) return { status: 'True', reason: 'StatefulSetPending', message: 'The StatefulSet is not there yet.' }
  const isNew = statefulSet.observedGeneration === 0
  if ((!isNew && statefulSet.observedGeneration < statefulSet.generation) || statefulSet.currentRevision !== statefulSet.updateRevision) {
    return { status: 'True', reason: 'StatefulSetUpdating', message: 'The pod is being replaced.' }
  }
  return statefulSet.readyReplicas === wanted
    ? { status: 'False', reason: 'ReconcileComplete', message: 'Everything is as the spec says.' }
    : { status: 'True', reason: 'ScalingReplicas', message: `${statefulSet.readyReplicas} of ${wanted} servers ready.` }
}

/** Volumes that grow do so beneath a server that goes on working, so `StorageReady` has no part in it. */
function ready ({ ConfigReady, DatabaseReady, Available, Progressing }: Conditions): Observation {
  const lacking = [
    ConfigReady?.status === 'True' ? '' : 'ConfigNotReady',
    Available?.status === 'True' ? '' : 'NotAvailable',
    Progressing?.status === 'True' ? 'StillProgressing' : '',
    !DatabaseReady || DatabaseReady.status === 'True' ? '' : 'DatabaseNotReady',
  ].filter(Boolean)
  if (lacking.length === 0) return { status: 'True', reason: 'AllConditionsMet', message: 'The server is fully operational.' }
  const first = [ConfigReady, DatabaseReady, Available].find(found => found && found.status !== 'True') ?? Progressing
  return { status: 'False', reason: 'ConditionsNotMet', message: `${lacking.join(', ')}. ${first?.message ?? ''}`.trim() }
}

type Phase = NonNullable<DittoServerStatus['phase']>

function phaseOf (wanted: number, { statefulSet, stalled }: Observed): Phase {
  if (stalled) return 'Failed'
  if (wanted === 0) return 'Stopped'
  return statefulSet && statefulSet.readyReplicas === wanted ? 'Running' : 'Pending'
}

function toCondition (type: string, observation: Observation, { metadata, status: before }: DittoServer, now: Date): Condition {
  const { status, reason, message } = observation
  const known = before?.conditions?.find(condition => condition.type === type)
  const lastTransitionTime = known?.status === status ? known.lastTransitionTime : now.toISOString().replace(/\.\d+Z$/, 'Z')
  return { type, status, observedGeneration: metadata.generation, lastTransitionTime, reason, message }
}
