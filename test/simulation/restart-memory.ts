import { deletable, type Action } from './actions.ts'
import { childEdits } from './children.ts'
import type { Cluster } from './cluster.ts'
import { modelKinds } from './model/kinds.ts'
import type { Change } from './model/store.ts'
import { metadataOf } from './model/metadata.ts'
import { namespace } from './servers.ts'

const { statefulSet, pod } = modelKinds

/**
 * A restart of a server ends with its pod. Whether the next StatefulSet still has its time depends on which deletion the operator sees
 * first, and makes no difference to the new pod.
 */
export class RestartMemory {
  readonly #cluster: Cluster
  readonly #unrestarted = new Set<string>()

  constructor (cluster: Cluster) {
    this.#cluster = cluster
    cluster.onChange(change => { this.#onChange(change) })
  }

  /** Servers whose last restart has ended. */
  unrestarted (): ReadonlySet<string> { return new Set(this.#unrestarted) }

  /** The user did this. */
  note (action: Action): void {
    if (action.does === 'edit-child' && childEdits[action.edit]?.isRestart) this.#unrestarted.delete(action.server)
    const takesPod = action.does === 'delete' || (action.does === 'delete-child' && deletable[action.child]?.kind === statefulSet)
    if (takesPod && action.policy !== 'Orphan') this.#unrestarted.add(action.server)
  }

  /** Without a StatefulSet and a pod, nothing has the time of the restart. */
  #onChange ({ type, kind, object }: Change): void {
    if (type !== 'DELETED' || (kind !== statefulSet && kind !== pod)) return
    const server = String(metadataOf(object).name).replace(/-0$/, '')
    const isGone = !this.#cluster.find(statefulSet, namespace, server) && !this.#cluster.find(pod, namespace, `${server}-0`)
    if (isGone) this.#unrestarted.add(server)
  }
}
