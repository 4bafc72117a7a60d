import type { Chance } from './random.ts'

/** The fate of one request. */
export type Fate =
  | { readonly type: 'delivered', readonly twice?: boolean }
  /** It never arrives. Silently: the client waits until its own deadline. */
  | { readonly type: 'lost', readonly silently: boolean }
  /** It is done, and the answer gets lost. */
  | { readonly type: 'unanswered', readonly silently: boolean }
  /** It is refused; `done`: although it was done, as a gateway says whose patience is over. */
  | { readonly type: 'refused', readonly status: 409 | 429 | 500 | 503 | 504, readonly done: boolean }

export const delivered: Fate = { type: 'delivered' }

/** How the network and the API server are at a moment, for one process. */
export interface Weather {
  /** Longest way of a request, of its reply, and of an event of a watch. Milliseconds. */
  readonly latency: number
  /** Share of requests that get lost, or their replies. */
  readonly loss: number
  /** Share of requests that are refused although they are valid. */
  readonly errors: number
  /** Nothing is listening. */
  readonly down: boolean
}

export const fair: Weather = { latency: 10, loss: 0, errors: 0, down: false }

/** Draws the fate of a request. A write that is refused with 409 had a concurrent writer, five times in a row. */
export function fateOf ({ loss, errors }: Weather, method: string, chance: Chance): Fate {
  const drawn = chance.next()
  const detail = chance.next()
  if (drawn < loss / 2) return { type: 'lost', silently: detail < 0.2 }
  if (drawn < loss) return { type: 'unanswered', silently: detail < 0.2 }
  if (drawn >= loss + errors) return delivered
  if (detail < 0.25) return { type: 'refused', status: 429, done: false }
  if (detail < 0.4) return { type: 'refused', status: 503, done: false }
  if (detail < 0.55) return { type: 'refused', status: 500, done: false }
  if (detail < 0.8) return { type: 'refused', status: 504, done: detail < 0.7 }
  if (method === 'PATCH' || method === 'PUT') return { type: 'refused', status: 409, done: false }
  // Only idempotent requests are sent twice by a proxy.
  return { type: 'delivered', twice: method === 'DELETE' || method === 'GET' }
}
