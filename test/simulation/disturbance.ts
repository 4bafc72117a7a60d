import type { Sent } from './network.ts'
import type { Chance } from './random.ts'
import type { Fault } from './scenario.ts'
import { delivered, fair, fateOf, type Fate, type Weather } from './weather.ts'
import type { World } from './world.ts'

type Lasting = Fault & { readonly from: number, readonly to: number }

/** The faults that are active at one time in a phase. */
export class Disturbance {
  readonly #world: World
  readonly #chance: Chance
  readonly #places = new Map<string, number>()
  #began = 0
  #lasting: readonly Lasting[] = []
  #writes: ReadonlyMap<number, Fault & { readonly goes: 'write' }> = new Map()
  #count = 0
  /** Called with the process whose write meets its end, before or after it. */
  onDeath: (process: string) => void = () => {}
  /** Called with the process whose machine is suspended from this write on. */
  onStill: (process: string, how: 'freeze' | 'suspend') => void = () => {}

  constructor (world: World, chance: Chance) {
    this.#world = world
    this.#chance = chance
  }

  /** The process in this slot. */
  place (process: string, place: number): void { this.#places.set(process, place) }

  /** Returns the true time at which the last of it is over. */
  begin (began: number, faults: readonly Fault[]): number {
    this.#began = began
    this.#lasting = faults.filter(fault => 'from' in fault)
    this.#writes = new Map(faults.flatMap(fault => fault.goes === 'write' ? [[fault.number, fault]] : []))
    this.#count = 0
    const ends = faults.map(fault => {
      if ('to' in fault) return fault.to
      if (fault.goes === 'write') return fault.fate === 'freeze' || fault.fate === 'suspend' ? 30_000 : 10_000
      return fault.at + ('lasts' in fault ? fault.lasts : 'downFor' in fault ? fault.downFor : 0)
    })
    return began + Math.max(0, ...ends) + 1_000
  }

  end (): void {
    this.#lasting = []
    this.#writes = new Map()
  }

  #now (): readonly Lasting[] {
    const since = this.#world.now - this.#began
    return this.#lasting.filter(({ from, to }) => from <= since && since < to)
  }

  weather (process: string): Weather {
    const place = this.#places.get(process)
    return this.#now().reduce<Weather>((weather, fault) => {
      if (fault.goes === 'outage') return { ...weather, down: true }
      if (fault.goes !== 'weather' || (fault.process !== undefined && fault.process !== place)) return weather
      const { latency, loss, errors } = fault
      return {
        ...weather,
        latency: Math.max(weather.latency, latency),
        loss: Math.max(weather.loss, loss),
        errors: Math.max(weather.errors, errors),
      }
    }, fair)
  }

  lag (process: string, resource: string): number {
    const place = this.#places.get(process)
    const lags = this.#now().flatMap(fault => fault.goes === 'stale' && fault.process === place && fault.resource === resource ? [fault.lag] : [])
    return Math.max(0, ...lags)
  }

  /** How long controllers take at most. */
  patience (): number { return this.#lasting.length > 0 ? 3_000 : 300 }

  fate (sent: Sent, weather: Weather): Fate {
    const isLease = sent.request.url.pathname.includes('/leases')
    const fault = sent.isWrite && !isLease ? this.#writes.get(++this.#count) : undefined
    if (!fault) return fateOf(weather, sent.request.method, this.#chance)
    switch (fault.fate) {
      case 'lost': return { type: 'lost', silently: false }
      case 'timeout': return { type: 'lost', silently: true }
      case 'unanswered': return { type: 'unanswered', silently: false }
      case 'gateway-timeout': return { type: 'refused', status: 504, done: true }
      case 'conflict': return { type: 'refused', status: 409, done: false }
      case 'error': return { type: 'refused', status: 500, done: false }
      case 'kill-before':
        this.onDeath(sent.process)
        return { type: 'lost', silently: true }
      case 'freeze':
      case 'suspend':
        this.onStill(sent.process, fault.fate)
        return delivered
      case 'kill-after':
        this.onDeath(sent.process)
        return delivered
    }
  }
}
