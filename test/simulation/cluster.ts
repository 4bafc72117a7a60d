import { ModelApiServer } from './model/api-server.ts'
import type { ModelKind } from './model/kind.ts'
import type { Change } from './model/store.ts'
import type { Tree } from './model/tree.ts'
import type { World } from './world.ts'

/** Who writes: a process of the operator, a controller, or the user. */
export type Actor = string

const epoch = 1_700_000_000_000

/** The API server and who is writing to it right now. */
export class Cluster {
  readonly world: World
  readonly api: ModelApiServer
  /** If it is empty, nobody in the simulation writes it. */
  #actor: Actor = ''

  constructor (world: World) {
    this.world = world
    this.api = new ModelApiServer(() => new Date(epoch + world.now))
  }

  get actor (): Actor { return this.#actor }

  /** Whatever is written within is written by that one. */
  as<Result> (actor: Actor, work: () => Result): Result {
    const before = this.#actor
    this.#actor = actor
    try {
      return work()
    } finally {
      this.#actor = before
    }
  }

  onChange (listener: (change: Change) => void): () => void { return this.api.store.onChange(listener) }

  list (kind: ModelKind): readonly Tree[] { return this.api.store.list(kind) }
  find (kind: ModelKind, namespace: string, name: string): Tree | undefined { return this.api.store.get(kind, namespace, name) }
}
