import { podIP } from './environment.ts'
import type { ContainerStatus, Phase, Pod, PodCondition, PodStatus } from './pod.ts'

/** The known state of the containers of a pod. */
export interface Observed {
  readonly initContainers: readonly ContainerStatus[]
  readonly containers: readonly ContainerStatus[]
  /** Volumes are mounted, so that containers can start. */
  readonly readyToStart: boolean
  /** The pod is being deleted and nothing of it runs any more. */
  readonly finished: boolean
  readonly startTime: string
}

/** The status of a pod as kubelet writes it. `before` gives the times of conditions that have not changed. Pure. */
export function podStatus (pod: Pod, observed: Observed, before: readonly PodCondition[], now: string): PodStatus {
  const phase = phaseOf(pod, observed)
  return {
    observedGeneration: pod.metadata.generation ?? 0,
    phase,
    conditions: conditionsOf(phase, observed).map(condition => {
      const known = before.find(({ type }) => type === condition.type)
      const lastTransitionTime = known?.status === condition.status ? known.lastTransitionTime ?? now : now
      // A field that is no longer set must be removed explicitly, because the patch merges.
      return { reason: null, message: null, ...condition, lastTransitionTime, observedGeneration: pod.metadata.generation ?? 0 }
    }),
    hostIP: podIP,
    hostIPs: [{ ip: podIP }],
    ...observed.readyToStart && { podIP, podIPs: [{ ip: podIP }] },
    startTime: observed.startTime,
    ...observed.initContainers.length > 0 && { initContainerStatuses: observed.initContainers },
    containerStatuses: observed.containers,
  }
}

/** https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase, in the order in which kubelet asks. */
function phaseOf ({ spec: { restartPolicy = 'Always' } }: Pod, { initContainers, containers, finished }: Observed): Phase {
  const failedInit = initContainers.some(({ state, lastState }) =>
    !state.running && ((state.terminated ?? lastState.terminated)?.exitCode ?? 0) !== 0)
  const pendingInit = initContainers.some(({ state }) => state.terminated?.exitCode !== 0)
  if (failedInit && (restartPolicy === 'Never' || finished)) return 'Failed'
  if (pendingInit && !finished) return 'Pending'
  if (containers.some(({ state, lastState }) => state.waiting && !lastState.terminated)) return 'Pending'
  if (containers.some(({ state }) => state.running)) return 'Running'
  const allSucceeded = containers.every(({ state }) => state.terminated?.exitCode === 0)
  if (finished) return allSucceeded ? 'Succeeded' : 'Failed'
  if (restartPolicy === 'Always') return 'Running'
  if (allSucceeded) return 'Succeeded'
  return restartPolicy === 'Never' && containers.every(({ state }) => state.terminated) ? 'Failed' : 'Running'
}

type Found = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>

/** https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions; `PodScheduled` is the scheduler's. */
function conditionsOf (phase: Phase, { initContainers, containers, readyToStart }: Observed): Found[] {
  const terminal = phase === 'Succeeded' ? 'PodCompleted' : phase === 'Failed' ? 'PodFailed' : undefined
  const unready = containers.filter(({ ready }) => !ready).map(({ name }) => name)
  const incomplete = initContainers.filter(({ ready }) => !ready).map(({ name }) => name)
  const ready: Omit<Found, 'type'> = terminal
    ? { status: 'False', reason: terminal }
    : unready.length > 0
      ? { status: 'False', reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` }
      : { status: 'True' }
  const initialized: Omit<Found, 'type'> = incomplete.length > 0 && phase !== 'Succeeded'
    ? { status: 'False', reason: 'ContainersNotInitialized', message: `containers with incomplete status: [${incomplete.join(' ')}]` }
    : { status: 'True', ...phase === 'Succeeded' && { reason: 'PodCompleted' } }
  return [
    { type: 'PodReadyToStartContainers', status: readyToStart && !terminal ? 'True' : 'False' },
    { type: 'Initialized', ...initialized },
    { type: 'Ready', ...ready },
    { type: 'ContainersReady', ...ready },
  ]
}
