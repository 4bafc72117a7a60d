import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { isReady, podTrouble, type PodStatus } from '../controller/pod-state.ts'
import type { Claim } from '../render/claim.ts'
import { restartReason } from '../render/inputs.ts'
import { podName } from '../render/names.ts'
import { claimNames } from '../render/volumes.ts'
import { since } from './age.ts'
import type { Facts } from './facts.ts'
import type { Branch } from './tree.ts'

type ContainerStatus = NonNullable<PodStatus['containerStatuses']>[number] & { readonly restartCount?: number }

/** The pod of a server, with its containers. Pure. */
export function podBranch (facts: Facts): Branch {
  const { server: { metadata, spec }, find } = facts
  const name = podName(metadata.name)
  const found = find('Pod', name)
  const kind = 'Pod'
  switch (found.state) {
    case 'unknown': return { kind, name, state: 'unknown', detail: found.reason }
    case 'absent':
    case 'unlisted': return { kind, name, state: spec.replicas === 0 ? 'ok' : 'progress', detail: spec.replicas === 0 ? 'stopped' : 'does not exist' }
    case 'present': return { kind, name, ...tell(facts, found.object) }
  }
}

function tell (facts: Facts, pod: KubernetesObject): Omit<Branch, 'kind' | 'name'> {
  const { now } = facts
  const status = (pod.status ?? {}) as PodStatus & { readonly podIP?: string }
  const { nodeName } = (pod.spec ?? {}) as { readonly nodeName?: string }
  const trouble = podTrouble(pod.metadata.name, pod, claimsOf(facts))
  const ready = isReady(pod)
  const reason = restartReason(pod)
  const { phase = 'Pending', podIP = null } = status
  return {
    state: trouble ? 'wrong' : ready ? 'ok' : 'progress',
    detail: [
      ...pod.metadata.deletionTimestamp === undefined ? [ready ? 'ready' : `${phase}, not ready`] : ['being deleted'],
      nodeName === undefined ? 'on no node' : `on ${nodeName}`,
      since(pod.metadata.creationTimestamp, now),
      ...reason === undefined ? [] : [`restarted: ${reason}`],
    ].join(', '),
    ...trouble ? { message: `${trouble.reason}: ${trouble.message}` } : {},
    facts: { phase, ready, node: nodeName ?? null, podIP, reason: trouble?.reason ?? null, restartReason: reason ?? null },
    branches: containersOf(status, now),
  }
}

const containersOf = ({ initContainerStatuses = [], containerStatuses = [] }: PodStatus, now: Date): Branch[] => [
  ...initContainerStatuses.map(container => containerBranch('Init container', container, now)),
  ...containerStatuses.map(container => containerBranch('Container', container, now)),
]

const claimsOf = ({ server: { metadata: { name } }, find }: Facts): Claim[] => claimNames(name).flatMap(claim => {
  const known = find('PersistentVolumeClaim', claim)
  return known.state === 'present' ? [known.object as unknown as Claim] : []
})

function containerBranch (kind: string, container: ContainerStatus, now: Date): Branch {
  const { name, image = '', ready = false, restartCount = 0 } = container
  const [state, words] = stateOf(container, now)
  const restarts = restartCount === 0 ? '' : `, restarted ${restartCount === 1 ? 'once' : `${restartCount} times`}`
  return { kind, name, state, detail: `${words}${restarts}, ${image}`, facts: { ready, restartCount, image } }
}

const harmless: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing'])

function stateOf ({ ready = false, state = {} }: ContainerStatus, now: Date): [Branch['state'], string] {
  const { waiting, running, terminated } = state
  if (waiting) return [harmless.has(waiting.reason ?? '') ? 'progress' : 'wrong', `waiting: ${waiting.reason ?? 'no reason given'}`]
  if (running) {
    const age = since((running as { startedAt?: string }).startedAt, now)
    return [ready ? 'ok' : 'progress', `${ready ? 'ready' : 'running, not ready'}${age && `, for ${age}`}`]
  }
  if (!terminated) return ['progress', 'not started']
  const { exitCode, reason = '' } = terminated
  return [exitCode === 0 ? 'ok' : 'wrong', exitCode === 0 ? 'completed' : `ended with exit code ${exitCode}${reason && ` (${reason})`}`]
}
