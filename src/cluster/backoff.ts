import { systemRandom, type Random } from '../random.ts'

export interface BackoffOptions {
  readonly firstMs: number
  readonly capMs: number
  readonly random?: Random
}

/** Exponential delays with jitter, so that the replicas of an operator do not all reconnect to a restarted API server at the same time. */
export class Backoff {
  readonly #options: BackoffOptions
  #failures = 0

  constructor (options: BackoffOptions) {
    this.#options = options
  }

  /** Milliseconds, between half and all of the exponential value, and at least `atLeastMs`, up to the cap. */
  next (atLeastMs = 0): number {
    const { firstMs, capMs, random = systemRandom } = this.#options
    const exponential = Math.min(capMs, firstMs * 2 ** this.#failures)
    if (exponential < capMs) this.#failures++
    return Math.min(capMs, Math.max(atLeastMs, exponential * (0.5 + random() / 2)))
  }

  reset (): void {
    this.#failures = 0
  }
}
