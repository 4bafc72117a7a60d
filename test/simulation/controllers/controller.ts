import type { Cluster } from '../cluster.ts'
import { Refused } from '../model/errors.ts'
import type { Change } from '../model/store.ts'
import type { Chance } from '../random.ts'

export interface ControllerContext {
  readonly cluster: Cluster
  readonly chance: Chance
  /** Maximum time from a change to the reaction of a controller. Milliseconds. */
  readonly patience: () => number
}

/** Keys to be looked at, each once at a time, some time after something about it changed. */
export class Looker {
  readonly #context: ControllerContext
  readonly #name: string
  readonly #look: (key: string) => void
  readonly #waiting = new Map<string, number>()

  constructor (name: string, context: ControllerContext, look: (key: string) => void) {
    this.#name = name
    this.#context = context
    this.#look = look
  }

  /** Nothing is to be looked at. */
  get isIdle (): boolean { return this.#waiting.size === 0 }

  /** Processes the key after some time, or after the given one; an earlier time is kept. */
  add (key: string, delay = this.#context.chance.next() * this.#context.patience()): void {
    const { cluster: { world } } = this.#context
    const at = world.now + delay
    const known = this.#waiting.get(key)
    if (known !== undefined && known <= at) return
    this.#waiting.set(key, at)
    world.quietlyAt(at, () => {
      if (this.#waiting.get(key) !== at) return
      this.#waiting.delete(key)
      this.#run(key)
    })
  }

  #run (key: string): void {
    const { cluster } = this.#context
    try {
      cluster.as(this.#name, () => { this.#look(key) })
    } catch (error) {
      // Another client wrote first, or it is not possible now.
      if (!(error instanceof Refused)) throw error
      this.add(key, 1_000)
    }
  }
}

/** A program that runs in the cluster, in addition to the operator. */
export interface ModelController {
  readonly onChange: (change: Change) => void
  readonly isIdle: () => boolean
}
