import { name } from '../manifests/install/installation.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { list, ok, several, unknown, wrong, type Step } from './examination.ts'

interface ContainerState { readonly reason?: string, readonly message?: string, readonly exitCode?: number }
interface ContainerStatus {
  readonly state?: { readonly waiting?: ContainerState, readonly terminated?: ContainerState }
  readonly lastState?: { readonly terminated?: ContainerState }
}
interface Condition { readonly type: string, readonly status: string, readonly reason?: string, readonly message?: string }
interface Pod extends KubernetesObject {
  readonly status?: { readonly conditions?: readonly Condition[], readonly containerStatuses?: readonly ContainerStatus[] }
}

/** Why a pod is not ready, with the message of the scheduler or of the kubelet. Undefined: the pod is ready or is being deleted. */
function troubleOf ({ metadata, status: { conditions = [], containerStatuses = [] } = {} }: Pod): string | undefined {
  const is = (type: string) => conditions.find(condition => condition.type === type)
  if (metadata.deletionTimestamp !== undefined || is('Ready')?.status === 'True') return undefined
  const scheduled = is('PodScheduled')
  const words = scheduled?.status === 'False' ? [scheduled.reason, scheduled.message] : wordsOf(containerStatuses[0])
  const said = words.filter(Boolean).join(': ')
  return `${metadata.name}: ${said === '' ? 'runs, but its /readyz says that it is not ready' : said}`
}

function wordsOf ({ state = {}, lastState = {} }: ContainerStatus = {}): (string | undefined)[] {
  const { waiting } = state
  const ended = state.terminated ?? lastState.terminated
  // `back-off 40s restarting failed container` adds nothing to the reason.
  const message = waiting?.reason === 'CrashLoopBackOff' ? undefined : waiting?.message
  return [waiting?.reason, message, ended && endOf(ended)]
}

const endOf = ({ exitCode = 0, reason = '' }: ContainerState) =>
  `ended with exit code ${exitCode}${['', 'Error', 'Completed'].includes(reason) ? '' : ` (${reason})`}`

export const pods: Step = {
  title: 'Pods',
  looksAt: 'why a pod is not ready, in the words of the scheduler and of kubelet',
  examine: async patient => {
    const { namespace } = patient
    const selector = `app.kubernetes.io/name=${name}`
    const found = await list<Pod>(patient, { group: '', version: 'v1', resource: 'pods' }, { namespace, labelSelector: selector })
    if (found.length === 0) return unknown('there are no pods', `kubectl -n ${namespace} get replicasets,events`)
    const troubles = found.flatMap(pod => troubleOf(pod) ?? [])
    if (troubles.length > 0) return wrong(several(troubles, 3), `kubectl -n ${namespace} describe pods -l ${selector}; kubectl -n ${namespace} logs deployment/${name}`)
    return ok(`${found.length} ready`)
  },
}
