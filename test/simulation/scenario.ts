import type { Action } from './actions.ts'
import type { ServerName } from './servers.ts'

/** The faults and their times. Milliseconds since the start of the phase; processes by the number of their slot. */
export type Fault =
  /** The network or the API server are bad for a while, for one process or for all. */
  | { readonly goes: 'weather', readonly from: number, readonly to: number, readonly process?: number, readonly latency: number, readonly loss: number, readonly errors: number }
  /** The API server does not listen. Watches break. */
  | { readonly goes: 'outage', readonly from: number, readonly to: number }
  /** One kind is seen late by one process: a stale view. */
  | { readonly goes: 'stale', readonly from: number, readonly to: number, readonly process: number, readonly resource: string, readonly lag: number }
  /** Watches end, break, expire, or receive no data. */
  | { readonly goes: 'watches', readonly at: number, readonly how: 'end' | 'break' | 'expire' | 'silence', readonly share: number }
  /** The history is compacted: a client that was disconnected must list again, and never sees the intermediate states. */
  | { readonly goes: 'compact', readonly at: number }
  /** A process is killed, or asked to end, and started again. */
  | { readonly goes: 'kill' | 'stop', readonly at: number, readonly process: number, readonly downFor: number }
  /** A machine is frozen; if it is suspended, its monotonic clock also stops. */
  | { readonly goes: 'freeze' | 'suspend', readonly at: number, readonly process: number, readonly lasts: number }
  /** A wall clock is set. */
  | { readonly goes: 'clock', readonly at: number, readonly process: number, readonly by: number }
  /** The nth write of the phase has this fault. `freeze` and `suspend`: the write succeeds, and its process stops for twenty seconds. */
  | { readonly goes: 'write', readonly number: number, readonly fate: 'lost' | 'unanswered' | 'timeout' | 'gateway-timeout' | 'conflict' | 'error' | 'kill-before' | 'kill-after' | 'freeze' | 'suspend' }

export interface TimedAction { readonly at: number, readonly action: Action }

export interface Phase { readonly actions: readonly TimedAction[], readonly faults: readonly Fault[] }

/** Everything that happens in one simulation. */
export interface Scenario {
  /** Decides all that is not said here: which reply comes first, how long each takes. */
  readonly seed: number
  /** How fast the clocks of each process's machine run, compared with true time. One or two processes. */
  readonly clocks: readonly number[]
  /** The CRD of Percona is there from the beginning. */
  readonly percona: boolean
  /** Seconds until a PostgreSQL cluster is ready; Infinity is written as -1. */
  readonly databaseAfter: number
  /** Servers that the Go operator left behind: a server and an index into goSpecs. */
  readonly takenOver?: readonly { readonly server: ServerName, readonly spec: number }[]
  /** Each phase starts when the previous one has settled. */
  readonly phases: readonly Phase[]
}
