import type { KindName } from '../../src/cluster/kinds.ts'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { factsOf, type Facts } from '../../src/status/facts.ts'
import type { Listed } from '../../src/status/listing.ts'
import { child, observation, type Scene } from '../controller/observation.ts'

// A manually created listing: the server `demo` with objects of the test.

export const now = new Date('2026-01-01T01:00:00Z')
const before = (minutes: number) => new Date(now.getTime() - minutes * 60_000).toISOString()

export const condition = (type: string, status: string, reason: string, rest: { message?: string, minutes?: number } = {}) => ({
  type, status, reason, message: rest.message ?? `${type} is ${status}.`, observedGeneration: 1, lastTransitionTime: before(rest.minutes ?? 1),
})

export const healthy = [
  condition('ConfigReady', 'True', 'ConfigValid'), condition('StorageReady', 'True', 'StorageReady'), condition('Available', 'True', 'MinimumReplicasAvailable'),
  condition('Progressing', 'False', 'ReconcileComplete'), condition('Ready', 'True', 'AllConditionsMet'),
]

/** `healthy`, with other conditions in the place of those with the same type. */
export const except = (...others: ReturnType<typeof condition>[]) =>
  [...healthy.filter(({ type }) => !others.some(other => other.type === type)), ...others]

export const statusOf = (conditions: readonly object[], rest: object = {}) => ({ observedGeneration: 1, phase: 'Running', conditions, ...rest })

export const containerOf = (state: object, rest: object = {}) => ({ name: 'dittofs', image: 'example.com/dittofs:1', ready: false, restartCount: 0, state, ...rest })

export const pod = (status: object, metadata: object = {}) => child('Pod', 'demo-0', { creationTimestamp: before(5), ...metadata }, { spec: { nodeName: 'node-1' }, status })

export const readyPod = pod({
  phase: 'Running',
  conditions: [{ type: 'PodScheduled', status: 'True' }, { type: 'Ready', status: 'True' }],
  containerStatuses: [containerOf({ running: { startedAt: before(3) } }, { ready: true })],
})

export const claim = (template: string, size: string, status: object = { phase: 'Bound', capacity: { storage: size } }) =>
  child('PersistentVolumeClaim', `${template}-demo-0`, {}, { spec: { resources: { requests: { storage: size } } }, status })

export const statefulSet = (ready: number, rest: object = {}) =>
  child('StatefulSet', 'demo', {}, { status: { readyReplicas: ready, currentRevision: 'a', updateRevision: 'a', ...rest } })

/** The facts about `demo`. `unknown`: kinds that may not be listed. */
export function facts (scene: Scene, objects: readonly KubernetesObject[] = [], unknown: readonly KindName[] = []): Facts {
  const { object } = observation({ metadata: { creationTimestamp: before(10) }, ...scene })
  const all = [object, ...objects]
  const listing = new Map<KindName, Listed>()
  for (const { kind } of all) listing.set(kind as KindName, { state: 'listed', objects: all.filter(found => found.kind === kind) })
  for (const kind of unknown) listing.set(kind, { state: 'unknown', reason: 'forbidden: no permission to list it' })
  const [only] = factsOf(listing, now)
  if (!only) throw new Error('no server')
  return only
}
