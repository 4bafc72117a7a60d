import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import type { DittoServerStatus } from '../dittoserver/schema.ts'
import { ok, several, warning, type Step } from './examination.ts'
import { fullName, watchedServers } from './installed.ts'

type Server = KubernetesObject & { readonly status?: DittoServerStatus }

/** Milliseconds. No reconcile that makes progress takes longer. A volume may grow for longer, with the reason `Expanding`. */
export const patience = 15 * 60_000

/** The problem of a server that will not recover by itself. Undefined: there is none. */
function troubleOf ({ metadata: { generation = 0, creationTimestamp }, status = {} }: Server, now: number): string | undefined {
  const { conditions = [], observedGeneration = 0 } = status
  const is = (type: string, status: string) => conditions.find(condition => condition.type === type && condition.status === status)
  const lasts = (time: unknown) => now - Date.parse(String(time)) > patience
  const stalled = is('Stalled', 'True')
  if (stalled) return `is stalled: ${stalled.reason}`
  if (observedGeneration < generation && lasts(creationTimestamp)) return 'has a spec that the operator has not observed'
  const failing = is('Progressing', 'True')
  if (failing?.reason === 'ReconcileFailed' && lasts(failing.lastTransitionTime)) return 'cannot be reconciled'
  const unavailable = is('Available', 'False')
  return unavailable && lasts(unavailable.lastTransitionTime) ? `is not available: ${unavailable.reason}` : undefined
}

export const servers: Step = {
  title: 'DittoServers',
  looksAt: 'whether one is stalled, or stuck for 15 minutes',
  examine: async patient => {
    const found = await watchedServers<Server>(patient)
    const troubles = found.flatMap(server => {
      const trouble = troubleOf(server, Date.now())
      return trouble === undefined ? [] : [`${fullName(server)} ${trouble}`]
    })
    if (troubles.length > 0) return warning(several(troubles), 'dittofs-operator status --all-namespaces: what is wrong comes first, with what to do')
    return ok(found.length === 0 ? 'there are none yet' : `${found.length}, none of which is stuck`)
  },
}
