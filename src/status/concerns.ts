import type { Condition } from '../dittoserver/schema.ts'
import { patience } from '../doctor/servers.ts'
import type { Facts } from './facts.ts'
import type { Branch, Concern, State } from './tree.ts'

/** `Ready` and `Reconciling` are derived from the others. */
const derived: ReadonlySet<string> = new Set(['Ready', 'Reconciling'])

/** Reasons that every start has for a while. */
const transient: ReadonlySet<string> = new Set(['NoReplicasAvailable', 'PerconaNotReady', 'PerconaTerminating'])

/** How a condition is to be judged. Pure. */
export function conditionState ({ type, status, reason, lastTransitionTime }: Condition, now: Date): State {
  if (type === 'Stalled') return status === 'True' ? 'wrong' : 'ok'
  if (type === 'Progressing') return status !== 'True' ? 'ok' : reason === 'ReconcileFailed' ? 'wrong' : 'progress'
  if (status === 'True') return reason === 'Expanding' ? 'progress' : 'ok'
  if (status === 'Unknown') return 'progress'
  return transient.has(reason) && now.getTime() - Date.parse(lastTransitionTime) <= patience ? 'progress' : 'wrong'
}

/** Everything that is wrong, then everything that is in progress; each message once. Pure. */
export function concernsOf ({ server: { metadata, status = {} }, now }: Facts, branches: readonly Branch[]): Concern[] {
  const { generation } = metadata
  const conditions = (status.conditions ?? []).filter(({ type }) => !derived.has(type))
  const found: Concern[] = [
    ...metadata.deletionTimestamp === undefined ? [] : [progress('Deletion', `being deleted; kept by: ${metadata.finalizers.join(', ') || 'nothing'}`)],
    ...(status.observedGeneration ?? 0) < generation ? [progress('Generation', `the operator has not carried out generation ${generation} yet`)] : [],
    ...conditions.flatMap(condition => {
      const state = conditionState(condition, now)
      return state === 'wrong' || state === 'progress' ? [{ state, subject: condition.type, message: `${condition.reason}: ${condition.message}` }] : []
    }),
  ]
  const told = found.map(({ message }) => message).join('\n')
  const objects = flat(branches).filter(({ state }) => state === 'wrong')
    .map(({ kind, name, detail, message = detail }): Concern => ({ state: 'wrong', subject: `${kind} ${name}`, message }))
    .filter(({ message }) => !told.includes(message))
  const all = [...found, ...objects].filter(({ message }, index, list) => list.findIndex(other => other.message === message) === index)
  return [...all.filter(({ state }) => state === 'wrong'), ...all.filter(({ state }) => state === 'progress')]
}

const progress = (subject: string, message: string): Concern => ({ state: 'progress', subject, message })

/** All branches but those of containers: the pod speaks for them. */
const flat = (branches: readonly Branch[]): Branch[] =>
  branches.flatMap(branch => [branch, ...branch.kind === 'Pod' ? [] : flat(branch.branches ?? [])])
