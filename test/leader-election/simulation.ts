import type { Lease, LeaseStore } from '../../src/leader-election/lease.ts'
import type { ElectionClock } from '../../src/leader-election/leader-election.ts'

/** A small, fast generator of numbers from 0 to 1, the same for the same seed. https://en.wikipedia.org/wiki/Linear_congruential_generator */
export function seeded (seed: number): () => number {
  let state = seed * 2654435761 % 2 ** 32
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32
    return state / 2 ** 32
  }
}

/** True time, which nobody in the simulation can read. Milliseconds. */
export class World {
  now = 0
  readonly #due: { at: number, run: () => void }[] = []

  at (at: number, run: () => void): () => void {
    const entry = { at: Math.max(at, this.now), run }
    this.#due.push(entry)
    return () => { entry.run = () => {} }
  }

  async run (until: number): Promise<void> {
    for (;;) {
      let next = this.#due[0]
      for (const entry of this.#due) if (!next || entry.at < next.at) next = entry
      if (!next || next.at > until) break
      this.#due.splice(this.#due.indexOf(next), 1)
      this.now = next.at
      next.run()
      // Everything that follows from it, however many promises it takes.
      await new Promise(resolve => setImmediate(resolve))
    }
    this.now = until
  }
}

/** A machine whose clock has a rate and an origin of its own, and which at times stands still. */
export class Machine {
  readonly #world: World
  readonly #rate: number
  readonly #origin: number
  wallOffset: number
  frozenUntil = 0

  constructor (world: World, { rate = 1, origin = 0, wallOffset = 0 }: { rate?: number, origin?: number, wallOffset?: number } = {}) {
    this.#world = world
    this.#rate = rate
    this.#origin = origin
    this.wallOffset = wallOffset
  }

  get isFrozen (): boolean { return this.#world.now < this.frozenUntil }

  /** Runs at a true time, or when the machine moves again. */
  wake (at: number, run: () => void): () => void {
    let cancelLater = () => {}
    const cancel = this.#world.at(at, () => {
      if (this.isFrozen) cancelLater = this.wake(this.frozenUntil, run)
      else run()
    })
    return () => {
      cancel()
      cancelLater()
    }
  }

  readonly clock: ElectionClock = {
    monotonic: () => this.#origin + this.#world.now * this.#rate,
    wall: () => new Date(1_700_000_000_000 + this.wallOffset + this.#world.now * this.#rate),
    sleep: async (milliseconds, signal) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const cancel = this.wake(this.#world.now + milliseconds / this.#rate, resolve)
      signal.addEventListener('abort', () => {
        cancel()
        resolve()
      }, { once: true })
      await promise
    },
  }
}

export interface Weather {
  readonly random: () => number
  /** Longest way of a request, and of its reply. */
  readonly latency: number
  /** Share of requests that get lost, before they arrive or on the way back. */
  readonly loss: number
}

/** The Lease of an API server that knows versions, at the end of a network with weather. */
export class SimulatedLease {
  lease: Lease | undefined
  writes = 0
  #version = 0

  store (world: World, machine: Machine, weather: Weather): LeaseStore {
    const travel = async <Reply>(signal: AbortSignal, handle: () => Reply): Promise<Reply> => {
      const { promise, resolve, reject } = Promise.withResolvers<Reply>()
      const { random, latency, loss } = weather
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      if (signal.aborted) reject(signal.reason as Error)
      const there = random() * latency
      const back = random() * latency
      const fate = random()
      world.at(world.now + there, () => {
        if (fate < loss / 2) {
          machine.wake(world.now + back, () => reject(new Error('connection reset')))
          return
        }
        const reply = handle()
        machine.wake(world.now + back, () => fate < loss ? reject(new Error('connection reset')) : resolve(reply))
      })
      return await promise
    }
    return {
      read: async signal => await travel(signal, () => structuredClone(this.lease)),
      write: async (spec, previous, signal) => await travel(signal, () => {
        if (this.lease?.metadata.resourceVersion !== previous?.metadata.resourceVersion) return undefined
        this.writes++
        this.lease = {
          apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'lease', resourceVersion: String(++this.#version) }, spec,
        }
        return structuredClone(this.lease)
      }),
    }
  }
}
