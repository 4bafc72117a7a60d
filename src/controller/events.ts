import { hostname } from 'node:os'
import type { ApiClient } from '../cluster/api-client.ts'
import { createRequest } from '../cluster/api-requests.ts'
import { resourcePath } from '../cluster/resource-path.ts'
import { apiVersion, group, kind } from '../dittoserver/api.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import type { Condition } from '../dittoserver/schema.ts'

export interface Occurrence {
  readonly type: 'Normal' | 'Warning'
  /** CamelCase. */
  readonly reason: string
  /** What was being done: CamelCase. */
  readonly action: string
  readonly note: string
}

/** A refusal or a failure that began, and its end, are worth an event; what merely goes on is not. */
const good: Readonly<Record<string, string>> = {
  ConfigReady: 'ConfigValid', DatabaseReady: 'PerconaReady', StorageReady: 'StorageReady', Ready: 'Ready',
}

/** What happened between two statuses. Nothing, if no condition changed its status or its reason. Pure. */
export function occurrencesBetween (before: readonly Condition[], after: readonly Condition[]): Occurrence[] {
  return after.flatMap(({ type, status, reason, message }): Occurrence[] => {
    const known = before.find(condition => condition.type === type)
    if (known?.status === status && known.reason === reason) return []
    if (type === 'Progressing' && reason === 'ReconcileFailed') return [{ type: 'Warning', reason, action: 'Reconcile', note: message }]
    if (type === 'Progressing' && reason === 'StatefulSetUpdating') return [{ type: 'Normal', reason, action: 'Update', note: message }]
    const goodReason = good[type]
    if (goodReason === undefined) return []
    // That all is well is news only after it was not.
    if (status === 'True') return known && known.status !== 'True' ? [{ type: 'Normal', reason: goodReason, action: 'Observe', note: message }] : []
    return type === 'Ready' ? [] : [{ type: 'Warning', reason, action: 'Observe', note: message }]
  })
}

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ allows no more. */
const longestNote = 1024

/** Records an event about a server. @throws whatever the API server refuses */
export async function recordEvent (client: ApiClient, server: DittoServer, occurrence: Occurrence, now: Date): Promise<void> {
  const { name, namespace, uid } = server.metadata
  const { type, reason, action, note } = occurrence
  const unique = `${now.getTime().toString(16)}${Math.floor(Math.random() * 2 ** 32).toString(16).padStart(8, '0')}`
  await client.request(createRequest(resourcePath({ group: 'events.k8s.io', version: 'v1', resource: 'events' }, { namespace }), {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: `${name}.${unique}`, namespace },
    eventTime: now.toISOString().replace(/Z$/, '000Z'),
    type,
    reason,
    action,
    note: [...note].slice(0, longestNote).join(''),
    reportingController: `${group}/dittoserver-controller`,
    reportingInstance: hostname().slice(0, 128),
    regarding: { apiVersion, kind, name, namespace, uid },
  }))
}
