import type { Lease, LeaseStore } from '../../src/leader-election/lease.ts'
import type { Machine } from '../simulation/machine.ts'
import type { World } from '../simulation/world.ts'

export interface Weather {
  readonly random: () => number
  /** Longest way of a request, and of its reply. */
  readonly latency: number
  /** Share of requests that get lost, before they arrive or on the way back. */
  readonly loss: number
}

const leaseObject = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }

/** The Lease of an API server that knows versions, at the end of a network with weather. */
export class SimulatedLease {
  /** Undefined: it does not exist yet. */
  lease: Lease | undefined
  writes = 0
  /** Reads and writes that were sent, including those that did not arrive. */
  requests = 0
  #version = 0

  constructor (spec?: Lease['spec'] | null) {
    if (spec !== undefined) this.lease = { ...leaseObject, metadata: { name: 'lease', resourceVersion: '0' }, ...(spec === null ? {} : { spec }) }
  }

  /** Another client writes it, with another holder or without one. */
  edit (holderIdentity = this.lease?.spec?.holderIdentity): void {
    if (!this.lease) return
    this.lease = { ...this.lease, metadata: { name: 'lease', resourceVersion: String(++this.#version) }, spec: { ...this.lease.spec, holderIdentity: holderIdentity ?? '' } }
  }

  /** Another client removes the holder, and everything else. */
  empty (): void { this.lease = { ...leaseObject, metadata: { name: 'lease', resourceVersion: String(++this.#version) } } }

  store (world: World, machine: Machine, weather: Weather): LeaseStore {
    const travel = async <Reply>(signal: AbortSignal, handle: () => Reply): Promise<Reply> => {
      const { promise, resolve, reject } = Promise.withResolvers<Reply>()
      const { random, latency, loss } = weather
      this.requests++
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
        this.lease = { ...leaseObject, metadata: { name: 'lease', resourceVersion: String(++this.#version) }, spec }
        return structuredClone(this.lease)
      }),
    }
  }
}
