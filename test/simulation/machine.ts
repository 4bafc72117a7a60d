import type { Clock } from '../../src/clock.ts'
import type { World } from './world.ts'

export interface MachineOptions {
  /** How fast its clocks run, compared with true time. */
  readonly rate?: number
  readonly origin?: number
  readonly wallOffset?: number
}

const epoch = 1_700_000_000_000

/** A machine with its own clocks, which is suspended at times. Processes run on it until they are killed. */
export class Machine {
  readonly #world: World
  readonly #rate: number
  readonly #origin: number
  /** Milliseconds that its wall clock is off. */
  wallOffset: number
  #stillUntil = 0
  /** Milliseconds for which it was suspended: the monotonic clock knows nothing of them. */
  #suspended = 0

  constructor (world: World, { rate = 1, origin = 0, wallOffset = 0 }: MachineOptions = {}) {
    this.#world = world
    this.#rate = rate
    this.#origin = origin
    this.wallOffset = wallOffset
  }

  get isStill (): boolean { return this.#world.now < this.#stillUntil }

  /** Its processes stop, its clocks continue: SIGSTOP, or an overloaded hypervisor. */
  freeze (milliseconds: number): void {
    this.#stillUntil = Math.max(this.#stillUntil, this.#world.now + milliseconds)
  }

  /** Processes and monotonic clock stop; the wall clock, which has a battery, continues. */
  suspend (milliseconds: number): void {
    const before = Math.max(this.#stillUntil, this.#world.now)
    this.freeze(milliseconds)
    // Nothing reads the clock before the machine wakes.
    this.#suspended += Math.max(0, this.#stillUntil - before)
  }

  /** Nothing on it ever moves again. */
  kill (): void { this.#stillUntil = Infinity }

  /** Runs at a true time, or when the machine moves again. */
  wake (at: number, run: () => void): () => void {
    let cancelLater = () => {}
    const cancel = this.#world.at(at, () => {
      if (this.#stillUntil === Infinity) return
      if (this.isStill) cancelLater = this.wake(this.#stillUntil, run)
      else run()
    })
    return () => {
      cancel()
      cancelLater()
    }
  }

  #monotonic (): number { return this.#origin + (this.#world.now - this.#suspended) * this.#rate }

  readonly clock: Clock = {
    monotonic: () => this.#monotonic(),
    wall: () => new Date(epoch + this.wallOffset + this.#world.now * this.#rate),
    sleep: async (milliseconds, signal) => {
      if (signal.aborted) return
      const due = this.#monotonic() + Math.max(0, milliseconds)
      const { promise, resolve } = Promise.withResolvers<void>()
      let cancel = () => {}
      const wait = () => {
        const left = due - this.#monotonic()
        // Dividing by the rate and multiplying again may lose a thousandth of a millisecond.
        if (left < 0.001) resolve()
        else cancel = this.wake(this.#world.now + left / this.#rate, wait)
      }
      const stop = () => {
        cancel()
        resolve()
      }
      cancel = this.wake(this.#world.now + Math.max(0, milliseconds) / this.#rate, wait)
      signal.addEventListener('abort', stop, { once: true })
      await promise
      signal.removeEventListener('abort', stop)
    },
  }
}
