/**
 * The reasons why a process should not receive reviews. Only reasons that make its answers useless: with `failurePolicy: Fail`, removing
 * the last endpoint refuses every write.
 */
export const obstacles = ['Draining', 'NoCertificate', 'CertificateNotValid', 'CertificateNotTrusted', 'WatchStale'] as const
/** Problems of a process that still answers. */
export const impairments = ['StorageClassesStale', 'WatchStale', 'CertificateSecretNotSeen', 'MutatingWebhookNotTrusting'] as const

export interface Cause<Reason extends string> {
  /** A label of metrics. */
  readonly reason: Reason
  /** For users: what is wrong, and why. */
  readonly message: string
}
export type Obstacle = Cause<typeof obstacles[number]>
export type Impairment = Cause<typeof impairments[number]>

/** The health of one part of the program. */
export interface PartReadiness {
  readonly notReady?: () => readonly Obstacle[]
  readonly impaired?: () => readonly Impairment[]
}

/** Longer than a normal start takes: until then, missing parts do not cause a warning. Milliseconds. */
const startTakes = 30_000

export interface ReadinessOptions {
  readonly log: { readonly info: (fields: object, message: string) => void, readonly warn: (fields: object, message: string) => void }
  /** Monotonic, in milliseconds. */
  readonly now?: () => number
}

const messages = (causes: readonly Cause<string>[]) => causes.map(({ message }) => message)
/** The identity of a state: numbers in the message, such as the seconds that a state has lasted, do not count. */
const stateOf = (causes: readonly Cause<string>[]) => causes.map(({ reason, message }) => `${reason} ${message.replaceAll(/\d+/g, '')}`).sort().join('\n')

/** Whether the process should receive reviews, and its problems. Logs each change of either. */
export class Readiness {
  readonly #log: ReadinessOptions['log']
  readonly #parts: PartReadiness[] = []
  /** The last reported state. A process is not ready before it has reported this. */
  #told = { obstacles: 'Starting', impairments: '' }
  #watch: NodeJS.Timeout | undefined
  readonly #now: () => number
  readonly #created: number

  constructor ({ log, now = () => performance.now() }: ReadinessOptions) {
    this.#log = log
    this.#now = now
    this.#created = now()
  }

  add (part: PartReadiness): void { this.#parts.push(part) }

  notReady (): Obstacle[] { return this.#parts.flatMap(part => part.notReady?.() ?? []) }
  impaired (): Impairment[] { return this.#parts.flatMap(part => part.impaired?.() ?? []) }

  /** Checks periodically, also if nobody probes. */
  start (intervalMs = 1_000): void {
    this.#watch ??= setInterval(() => { this.tell() }, intervalMs).unref()
  }

  stop (): void { clearInterval(this.#watch) }

  /** Logs the changes since the last call. */
  tell (): void {
    const starts = this.#now() - this.#created < startTakes
    const obstacles = this.notReady()
    const impairments = starts ? [] : this.impaired()
    const before = this.#told
    this.#told = { obstacles: `${starts && obstacles.length > 0 ? 'while it starts: ' : ''}${stateOf(obstacles)}`, impairments: stateOf(impairments) }
    if (this.#told.obstacles !== before.obstacles) {
      if (obstacles.length === 0) this.#log.info({}, 'ready')
      else if (starts) this.#log.info({ reasons: messages(obstacles) }, 'not ready yet')
      else this.#log.warn({ reasons: messages(obstacles) }, 'not ready')
    }
    if (this.#told.impairments !== before.impairments) {
      if (impairments.length === 0) this.#log.info({}, 'no longer impaired')
      else this.#log.warn({ reasons: messages(impairments) }, 'impaired: the process answers, but has a problem')
    }
  }
}
