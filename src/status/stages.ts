import { isReady, type PodStatus } from '../controller/pod-state.ts'
import { childNames, podName } from '../render/names.ts'
import { claimName, claimTemplates } from '../render/volumes.ts'
import type { Facts } from './facts.ts'
import type { Stage } from './tree.ts'

/** The steps of a start, in order. Empty while the server is available, stopped, or refused. Pure. */
export function stagesOf ({ server, find }: Facts): Stage[] {
  const { metadata: { name }, spec, status: { conditions = [] } = {} } = server
  const is = (type: string) => conditions.some(condition => condition.type === type && condition.status === 'True')
  if (is('Available') || is('Stalled') || spec.replicas === 0) return []
  const object = (kind: 'Pod' | 'PersistentVolumeClaim', name: string) => {
    const found = find(kind, name)
    return found.state === 'present' ? found.object : undefined
  }
  const pod = object('Pod', podName(name))
  const { conditions: said = [], containerStatuses = [] } = (pod?.status ?? {}) as PodStatus
  const isBound = (template: string) => (object('PersistentVolumeClaim', claimName(template, name))?.status as { phase?: string } | undefined)?.phase === 'Bound'
  const steps: [title: string, isDone: boolean][] = [
    ['configuration', is('ConfigReady')],
    ...conditions.some(({ type }) => type === 'DatabaseReady') ? [['database', is('DatabaseReady')] as [string, boolean]] : [],
    ['StatefulSet', find('StatefulSet', childNames(name).statefulSet).state === 'present'],
    ['volumes', claimTemplates(server).every(({ metadata }) => isBound(metadata.name))],
    ['pod scheduled', said.some(({ type, status }) => type === 'PodScheduled' && status === 'True')],
    ['container started', containerStatuses.some(({ state }) => state?.running !== undefined)],
    ['ready', isReady(pod)],
  ]
  const current = steps.findIndex(([, isDone]) => !isDone)
  return steps.map(([title, isDone], index) => ({ title, state: isDone ? 'done' : index === current ? 'current' : 'waiting' }))
}
