import type { ClusterLog } from './cluster-log.ts'

/**
 * Turns the many failures of an outage into two log lines: one when the first watch loses the API server, one when the
 * last has it back. Shared by all watches of a process.
 */
export class ApiServerOutage {
  readonly #log: ClusterLog
  readonly #waiting = new Set<string>()
  #since = 0

  constructor (log: ClusterLog) {
    this.#log = log
  }

  away (watch: string, reason: string, error: unknown): void {
    if (this.#waiting.size === 0) {
      this.#since = performance.now()
      this.#log.warn({ watch, reason, err: error }, 'waiting for the API server')
    }
    this.#waiting.add(watch)
  }

  back (watch: string): void {
    if (!this.#waiting.delete(watch) || this.#waiting.size > 0) return
    this.#log.info({ seconds: Math.round((performance.now() - this.#since) / 1000) }, 'the API server is back')
  }
}
