import { schedule, systemClock, type Clock } from '../clock.ts'
import { systemRandom, type Random } from '../random.ts'

/** Result of a worker: nothing, or when to reconcile again. */
export interface WorkResult {
  /** Milliseconds. */
  readonly requeueAfter?: number
  /** The pass only waited: earlier failures still count. */
  readonly waiting?: true
}

/** The metrics of client-go's work queue. Seconds. */
export interface QueueObserver {
  added (): void
  retried (): void
  started (queuedSeconds: number): void
  finished (workSeconds: number, failed: boolean): void
}

export interface QueueOptions {
  /** `failures`: number of consecutive failures of this key. */
  readonly worker: (key: string, signal: AbortSignal, failures: number) => Promise<WorkResult>
  /** Number of keys that are processed concurrently; one key is never processed twice at the same time. */
  readonly concurrency: number
  readonly onFailure: (key: string, error: unknown, retryInMs: number) => void
  readonly observer?: QueueObserver
  readonly clock?: Clock
  readonly random?: Random
}

const firstRetry = 100
const longestRetry = 60_000

interface Entry {
  state: 'idle' | 'queued' | 'working'
  /** Added while it was processed: process it once more afterwards. */
  again: boolean
  failures: number
  queuedAt: number
  cancelDelay: (() => void) | undefined
}

/**
 * A work queue of keys. A key that is added twice is processed once. A key that is added while it is processed is processed once more
 * afterwards. After a failure, the key is retried with an exponential, jittered delay. An idle key uses no memory.
 */
export class Queue {
  readonly #options: QueueOptions
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()
  readonly #ready: string[] = []
  readonly #abort = new AbortController()
  readonly #inFlight = new Set<Promise<void>>()
  /** Starts one pass in this turn. */
  #hasBegun = false

  constructor (options: QueueOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** Number of keys that wait, without those that are delayed. */
  get depth (): number { return this.#ready.length }
  /** Number of keys in any state: it would grow if keys were leaked. */
  get size (): number { return this.#entries.size }

  add (key: string): void {
    if (this.#abort.signal.aborted) return
    const entry = this.#entry(key)
    entry.cancelDelay?.()
    entry.cancelDelay = undefined
    if (entry.state === 'queued') return
    if (entry.state === 'working') {
      entry.again = true
      return
    }
    this.#options.observer?.added()
    entry.state = 'queued'
    entry.queuedAt = this.#clock.monotonic()
    this.#ready.push(key)
    this.#take()
  }

  /** Adds the key after a delay, unless it is added earlier. */
  addAfter (key: string, milliseconds: number): void {
    if (this.#abort.signal.aborted) return
    const entry = this.#entry(key)
    entry.cancelDelay?.()
    entry.cancelDelay = schedule(this.#clock, milliseconds, () => {
      entry.cancelDelay = undefined
      this.add(key)
    })
  }

  /** Accepts no more keys; resolves when the running work is done. */
  async stop (): Promise<void> {
    this.#abort.abort()
    this.#ready.length = 0
    for (const { cancelDelay } of this.#entries.values()) cancelDelay?.()
    await Promise.all(this.#inFlight)
    this.#entries.clear()
  }

  #entry (key: string): Entry {
    const known = this.#entries.get(key)
    if (known) return known
    const entry: Entry = { state: 'idle', again: false, failures: 0, queuedAt: 0, cancelDelay: undefined }
    this.#entries.set(key, entry)
    return entry
  }

  /**
   * Only one pass starts in each turn of the event loop. A pass that finds nothing to do never waits, so thousands of them in a row would
   * block everything else.
   */
  #take (): void {
    if (this.#hasBegun || this.#inFlight.size >= this.#options.concurrency) return
    const key = this.#ready.shift()
    if (key === undefined) return
    this.#hasBegun = true
    void this.#clock.sleep(0, this.#abort.signal).then(() => {
      this.#hasBegun = false
      this.#take()
    })
    const work = this.#work(key, this.#entry(key)).finally(() => {
      this.#inFlight.delete(work)
      this.#take()
    })
    this.#inFlight.add(work)
  }

  async #work (key: string, entry: Entry): Promise<void> {
    const { worker, observer, onFailure, random = systemRandom } = this.#options
    const started = this.#clock.monotonic()
    observer?.started((started - entry.queuedAt) / 1000)
    entry.state = 'working'
    entry.again = false
    let delay: number | undefined
    let failed = false
    try {
      const { requeueAfter, waiting } = await worker(key, this.#abort.signal, entry.failures)
      delay = requeueAfter
      if (!waiting) entry.failures = 0
    } catch (error) {
      failed = true
      // Half of the delay is fixed and half is random, so that keys that failed together are not retried together.
      delay = Math.min(longestRetry, firstRetry * 2 ** Math.min(entry.failures++, 20)) * (0.5 + random() / 2)
      if (!this.#abort.signal.aborted) onFailure(key, error, delay)
      observer?.retried()
    }
    observer?.finished((this.#clock.monotonic() - started) / 1000, failed)
    entry.state = 'idle'
    if (entry.again) this.add(key)
    else if (delay !== undefined) this.addAfter(key, delay)
    else if (entry.failures === 0 && !entry.cancelDelay) this.#entries.delete(key)
  }
}
