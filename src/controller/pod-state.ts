import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import type { Claim } from '../render/claim.ts'
import { serverContainer } from '../render/pod.ts'
import { lastWords, stableText } from './pod-text.ts'

type Optional<Fields> = { readonly [Name in keyof Fields]?: Fields[Name] | undefined }

/** The fields of https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#PodStatus that are cached. */
export type PodStatus = Cause & Optional<{
  phase: string
  conditions: readonly (Cause & { readonly type: string, readonly status: string })[]
  initContainerStatuses: readonly ContainerStatus[]
  containerStatuses: readonly ContainerStatus[]
}>

type ContainerStatus = { readonly name: string } & Optional<{
  image: string
  ready: boolean
  state: ContainerState
  lastState: ContainerState
}>
type ContainerState = Optional<{ waiting: Cause, running: object, terminated: Termination }>
type Cause = Optional<{ reason: string, message: string }>
type Termination = Cause & { readonly exitCode: number }

/** Why a server is not available, as reason and message of the condition `Available`. */
export interface PodSaid {
  readonly reason: string
  /** Starts with the object to look at, and ends with what to do. */
  readonly message: string
  /** This message omits the cause, which the previous one may have contained. */
  readonly vague?: boolean
}

/** The part of a pod that is cached: not its spec, and nothing that changes with every attempt to start it. */
export function trimPod (pod: KubernetesObject): KubernetesObject {
  const { apiVersion, kind, metadata: { managedFields: _, ...metadata } } = pod
  const { phase, reason, message, conditions = [], initContainerStatuses, containerStatuses } = (pod.status ?? {}) as PodStatus
  const status: PodStatus = {
    phase,
    reason,
    message,
    conditions: conditions.flatMap(({ type, status, reason, message }) =>
      type === 'PodScheduled' ? { type, status, reason, message } : type === 'Ready' ? { type, status } : []),
    initContainerStatuses: initContainerStatuses?.map(trimContainer),
    containerStatuses: containerStatuses?.map(trimContainer),
  }
  return { apiVersion, kind, metadata, status }
}

function trimContainer ({ name, image, ready, state, lastState }: ContainerStatus): ContainerStatus {
  const termination = ({ exitCode, reason, message }: Termination) => ({ exitCode, reason, message })
  const { waiting, running, terminated } = state ?? {}
  const last = lastState?.terminated
  return {
    name,
    image,
    ready,
    state: {
      // `back-off 40s restarting failed container` adds nothing to the reason.
      ...(waiting ? { waiting: { reason: waiting.reason, message: waiting.reason === 'CrashLoopBackOff' ? undefined : waiting.message } } : {}),
      ...(running ? { running: {} } : {}),
      ...(terminated ? { terminated: termination(terminated) } : {}),
    },
    ...(last ? { lastState: { terminated: termination(last) } } : {}),
  }
}

/** Whether two states of a pod may lead to different reports. Expects trimmed pods. */
export const isSameReport = (a: KubernetesObject, b: KubernetesObject): boolean =>
  a.metadata.uid === b.metadata.uid && a.metadata.deletionTimestamp === b.metadata.deletionTimestamp &&
  JSON.stringify(a.status) === JSON.stringify(b.status)

/**
 * Whether the pod is not being deleted, and is ready. This uses the condition: on a lost node, the last container statuses from the kubelet
 * are still `ready`, and only the condition is reset.
 */
export function isReady (pod: KubernetesObject | undefined): boolean {
  const { conditions = [] } = (pod?.status ?? {}) as PodStatus
  return pod?.metadata.deletionTimestamp === undefined && conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
}

/**
 * Why the pod called `name` is not ready, in the words of the scheduler or the kubelet. `claims`: the existing claims of the pod.
 * Undefined: no problem is known. Pure.
 */
export function podTrouble (name: string, pod: KubernetesObject | undefined, claims: readonly Claim[]): PodSaid | undefined {
  if (!pod) return undefined
  const status = (pod.status ?? {}) as PodStatus
  if (pod.metadata.deletionTimestamp !== undefined) return undefined
  if (status.phase === 'Failed') {
    const cause = [status.reason, status.message && stableText(status.message)].filter(Boolean).join(': ')
    return { reason: 'PodFailed', message: `pod ${name} failed${cause && `: ${cause}`}. It is recreated.` }
  }
  return notScheduled(name, status, claims) ?? containerTrouble(name, status)
}

function notScheduled (name: string, { conditions = [] }: PodStatus, claims: readonly Claim[]): PodSaid | undefined {
  const scheduled = conditions.find(({ type }) => type === 'PodScheduled')
  if (scheduled?.status !== 'False') return undefined
  const { reason = 'Unschedulable', message = '' } = scheduled
  const unbound = claims.filter(({ status }) => status?.phase === 'Pending')
  if (unbound.length > 0 && /PersistentVolumeClaim|persistent volume|persistentvolumeclaim/.test(message)) return notBound(unbound)
  // `SchedulingGated` is the other reason.
  const cause = message === '' ? reason : stableText(message)
  return { reason, message: `pod ${name} cannot be scheduled: ${sentence(cause)} Adjust spec.resources, or make room on the nodes.` }
}

function notBound (claims: readonly Claim[]): PodSaid {
  const each = claims.map(({ metadata, spec }) =>
    `claim ${metadata.name} (${spec?.storageClassName ? `StorageClass '${spec.storageClassName}'` : 'no StorageClass'})`)
  const [first] = claims
  return {
    reason: 'ClaimNotBound',
    message: `${each.join(', ')}: no volume is bound to it. \`kubectl describe pvc ${first?.metadata.name ?? ''}\` shows the events of its provisioner.`,
  }
}

/** Containers run only after every init container has completed, so the first one with a problem is reported. */
function containerTrouble (pod: string, { initContainerStatuses = [], containerStatuses = [] }: PodStatus): PodSaid | undefined {
  const ended = ({ state }: ContainerStatus) => state?.terminated?.exitCode === 0
  for (const container of initContainerStatuses) {
    const found = ended(container) ? undefined : troubleOf(pod, container)
    if (found) return found
  }
  for (const container of containerStatuses) {
    const found = container.ready ? undefined : troubleOf(pod, container)
    if (found) return found
  }
  return undefined
}

/** These reasons alternate with `ImagePullBackOff`, whose message names the previous one. */
const pullReasons = new Set(['ErrImagePull', 'ImagePullBackOff', 'RegistryUnavailable', 'SignatureValidationFailed'])
const imageReasons = new Set([...pullReasons, 'InvalidImageName', 'ErrImageNeverPull', 'ImageInspectError'])
const harmless = new Set(['ContainerCreating', 'PodInitializing', 'CrashLoopBackOff'])

function troubleOf (pod: string, container: ContainerStatus): PodSaid | undefined {
  const { reason = '', message = '' } = container.state?.waiting ?? {}
  if (imageReasons.has(reason)) return imageTrouble(pod, container, reason, message)
  if (reason === 'CreateContainerConfigError') {
    const what = message === '' ? 'its environment variables cannot be resolved' : stableText(message)
    return { reason, message: `pod ${pod}: ${sentence(what)} Create the Secret with this key, or correct the reference in the spec.` }
  }
  // A restarted container may run for a while before it exits again. So the last exit counts until the container is ready.
  const terminated = container.state?.terminated ?? container.lastState?.terminated
  if (terminated) return crash(pod, container.name, terminated)
  if (reason === '' || harmless.has(reason)) return undefined
  return { reason, message: `pod ${pod}: container ${container.name} does not start: ${sentence(message === '' ? reason : stableText(message))} See \`kubectl describe pod ${pod}\`.` }
}

function imageTrouble (pod: string, { name, image = '' }: ContainerStatus, reason: string, message: string): PodSaid {
  const correct = name === serverContainer ? 'Correct spec.image, or let the nodes reach its registry.' : 'Let the nodes reach its registry.'
  if (reason === 'InvalidImageName') return { reason, message: `pod ${pod}: image '${image}' is not a valid image name. ${correct}` }
  // `Back-off pulling image "…": ErrImagePull: …`; before Kubernetes 1.32 without what follows the name.
  const cause = stableText(message.replace(/^Back-off pulling image "[^"]*"(: \w+: )?/, ''))
  return {
    reason: pullReasons.has(reason) ? 'ErrImagePull' : reason,
    message: `pod ${pod}: image '${image}' cannot be pulled${cause && `: ${cause}`}. ${correct}`,
    ...(cause === '' ? { vague: true } : {}),
  }
}

function crash (pod: string, container: string, { exitCode, reason = '', message = '' }: Termination): PodSaid {
  if (reason === 'OOMKilled') {
    return { reason, message: `pod ${pod}: container ${container} was killed for using more memory than its limit. Raise spec.resources.limits.memory.` }
  }
  const words = lastWords(message)
  const special = reason === '' || reason === 'Error' || reason === 'Completed' ? '' : ` (${reason})`
  return {
    reason: 'CrashLoopBackOff',
    message: `pod ${pod}: container ${container} ended with exit code ${exitCode}${special}${words && `: ${words}`}. See \`kubectl logs ${pod} -c ${container} --previous\`.`,
  }
}

const sentence = (text: string) => /[.!?]$/.test(text) ? text : `${text}.`

/** The previous report, if the current one says the same with less detail. */
export const withCause = (said: PodSaid, before: { readonly reason: string, readonly message: string } | undefined): PodSaid => {
  const [head = ''] = said.message.split('. ')
  return said.vague && before?.reason === said.reason && before.message.startsWith(head) ? { ...said, message: before.message } : said
}
