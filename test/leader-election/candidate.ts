import { LeaderElection, type LeaderElectionOptions } from '../../src/leader-election/leader-election.ts'
import type { Machine } from '../simulation/machine.ts'
import type { World } from '../simulation/world.ts'
import type { SimulatedLease, Weather } from './simulation.ts'

export const fair: Weather = { random: () => 0.5, latency: 20, loss: 0 }

/** A log line with its fields. */
export interface Said { readonly message: string, readonly identity?: string, readonly leader?: string, readonly cause?: string }

/** A process: it waits for the lead, keeps it, and ends when it loses it. */
// eslint-disable-next-line max-params -- each of them differs in some test
export function candidate (
  world: World, lease: SimulatedLease, machine: Machine, identity: string, weather: Weather = fair, clock = machine.clock,
) {
  const stop = new AbortController()
  const { random } = weather
  const said: Said[] = []
  const say = (fields: object, message: string) => { said.push({ message, ...fields }) }
  const log = { info: say, warn: say } as unknown as LeaderElectionOptions['log']
  const election = new LeaderElection({ store: lease.store(world, machine, weather), identity, clock, random, log })
  const state = { wasLeading: false, ended: false }
  const running = (async () => {
    await election.acquire(stop.signal)
    if (stop.signal.aborted) return
    state.wasLeading = true
    await election.hold(stop.signal)
    state.ended = true
  })()
  return { election, machine, state, stop, running, said }
}
