import type { ApiClient } from '../../src/cluster/api-client.ts'
import type { Pod } from './pod.ts'

export type EventRecorder = (pod: Pod, type: 'Normal' | 'Warning', reason: string, message: string, container?: string) => void

/** Records events like the kubelet, for `kubectl describe`. Events that cannot be written are lost, as in the kubelet. */
export function eventRecorder (client: ApiClient, node: string): EventRecorder {
  let count = 0
  return (pod, type, reason, message, container) => {
    const { name, namespace, uid } = pod.metadata
    const time = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${Date.now().toString(16)}${(count++).toString(16)}`, namespace },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', name, namespace, uid, ...container && { fieldPath: `spec.containers{${container}}` } },
      type,
      reason,
      message,
      count: 1,
      firstTimestamp: time,
      lastTimestamp: time,
      source: { component: 'kubelet', host: node },
      reportingComponent: 'kubelet',
      reportingInstance: node,
    }
    void client.request({ verb: 'create', method: 'POST', path: `/api/v1/namespaces/${namespace}/events`, body: event }).catch(() => {})
  }
}
