import { systemClock, type Clock } from '../clock.ts'
import type { ClusterLog } from './cluster-log.ts'

/**
 * Reduces the many failures of an outage to two log lines: one when the first watch loses the API server, one when the last watch has
 * reconnected. Shared by all watches of a process.
 */
export class ApiServerOutage {
  readonly #log: ClusterLog
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #waiting = new Set<string>()
  #since = 0

  constructor (log: ClusterLog, clock: Pick<Clock, 'monotonic'> = systemClock) {
    this.#log = log
    this.#clock = clock
  }

  away (watch: string, reason: string, error: unknown): void {
    if (this.#waiting.size === 0) {
      this.#since = this.#clock.monotonic()
      this.#log.warn({ watch, reason, err: error }, 'waiting for the API server')
    }
    this.#waiting.add(watch)
  }

  back (watch: string): void {
    if (!this.#waiting.delete(watch) || this.#waiting.size > 0) return
    this.#log.info({ seconds: Math.round((this.#clock.monotonic() - this.#since) / 1000) }, 'the API server is reachable again')
  }
}
