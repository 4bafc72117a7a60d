import type { Condition } from '../dittoserver/schema.ts'

export interface Occurrence {
  readonly type: 'Normal' | 'Warning'
  /** CamelCase. */
  readonly reason: string
  /** The action that was taken, in CamelCase. */
  readonly action: string
  readonly note: string
}

/** The start and the end of a refusal or a failure are recorded as events; a state that continues is not. */
const good: Readonly<Record<string, string>> = {
  ConfigReady: 'ConfigValid', DatabaseReady: 'PerconaReady', StorageReady: 'StorageReady', Ready: 'Ready',
}

/** The transitions between two statuses. Empty if no condition changed its status or its reason. Pure. */
export function occurrencesBetween (before: readonly Condition[], after: readonly Condition[]): Occurrence[] {
  const created: Occurrence = { type: 'Normal', reason: 'Created', action: 'Create', note: 'DittoServer created' }
  return [...before.length === 0 ? [created] : [], ...transitionsBetween(before, after)]
}

function transitionsBetween (before: readonly Condition[], after: readonly Condition[]): Occurrence[] {
  return after.flatMap(({ type, status, reason, message }): Occurrence[] => {
    const known = before.find(condition => condition.type === type)
    if (known?.status === status && known.reason === reason) return []
    if (type === 'Progressing' && reason === 'ReconcileFailed') return [{ type: 'Warning', reason, action: 'Reconcile', note: message }]
    if (type === 'Progressing' && reason === 'StatefulSetUpdating') return [{ type: 'Normal', reason, action: 'Update', note: message }]
    const goodReason = good[type]
    if (goodReason === undefined) return []
    // The healthy state is an event only if the server was unhealthy before.
    if (status === 'True') return known && known.status !== 'True' ? [{ type: 'Normal', reason: goodReason, action: 'Observe', note: message }] : []
    return type === 'Ready' ? [] : [{ type: 'Warning', reason, action: 'Observe', note: message }]
  })
}
