/** What a worker did: nothing to say, or when to come back. */
export interface WorkResult { readonly requeueAfter?: number }

/** The figures of client-go's work queue, for metrics. Seconds. */
export interface QueueObserver {
  added (): void
  retried (): void
  started (queuedSeconds: number): void
  finished (workSeconds: number, failed: boolean): void
}

export interface QueueOptions {
  readonly worker: (key: string, signal: AbortSignal) => Promise<WorkResult>
  /** Keys worked on at once; one key never is twice. */
  readonly concurrency: number
  readonly onFailure: (key: string, error: unknown, retryInMs: number) => void
  readonly observer?: QueueObserver
  readonly clock?: QueueClock
  readonly random?: () => number
}

/** A clock that tests can turn themselves. */
export interface QueueClock {
  now (): number
  /** Returns what calls it off. */
  schedule (milliseconds: number, run: () => void): () => void
}

const realClock: QueueClock = {
  now: () => performance.now(),
  schedule: (milliseconds, run) => {
    const timer = setTimeout(run, milliseconds)
    return () => clearTimeout(timer)
  },
}

const firstRetry = 100
const longestRetry = 60_000

interface Entry {
  state: 'idle' | 'queued' | 'working'
  /** Added while it was worked on: once more, afterwards. */
  again: boolean
  failures: number
  queuedAt: number
  cancelDelay: (() => void) | undefined
}

/**
 * Keys to be worked on. A key that is added twice is worked on once; one that is added while it is worked on, once more
 * afterwards. A failure is tried again after a growing, jittered delay of its own key. A key at rest leaves nothing behind.
 */
export class Queue {
  readonly #options: QueueOptions
  readonly #clock: QueueClock
  readonly #entries = new Map<string, Entry>()
  readonly #ready: string[] = []
  readonly #abort = new AbortController()
  readonly #inFlight = new Set<Promise<void>>()

  constructor (options: QueueOptions) {
    this.#options = options
    this.#clock = options.clock ?? realClock
  }

  /** Keys that wait, those with a delay excepted. */
  get depth (): number { return this.#ready.length }
  /** Keys known in any way: what would grow if any were forgotten about. */
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
    entry.queuedAt = this.#clock.now()
    this.#ready.push(key)
    this.#take()
  }

  /** Adds the key later, unless it is added before. */
  addAfter (key: string, milliseconds: number): void {
    if (this.#abort.signal.aborted) return
    const entry = this.#entry(key)
    entry.cancelDelay?.()
    entry.cancelDelay = this.#clock.schedule(milliseconds, () => {
      entry.cancelDelay = undefined
      this.add(key)
    })
  }

  /** Takes nothing more; resolves when what is being worked on is done. */
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

  #take (): void {
    while (this.#inFlight.size < this.#options.concurrency) {
      const key = this.#ready.shift()
      if (key === undefined) return
      const work = this.#work(key, this.#entry(key)).finally(() => {
        this.#inFlight.delete(work)
        this.#take()
      })
      this.#inFlight.add(work)
    }
  }

  async #work (key: string, entry: Entry): Promise<void> {
    const { worker, observer, onFailure, random = Math.random } = this.#options
    const started = this.#clock.now()
    observer?.started((started - entry.queuedAt) / 1000)
    entry.state = 'working'
    entry.again = false
    let delay: number | undefined
    let failed = false
    try {
      delay = (await worker(key, this.#abort.signal)).requeueAfter
      entry.failures = 0
    } catch (error) {
      failed = true
      // Half of the delay is fixed and half is random, so that what failed together does not come back together.
      delay = Math.min(longestRetry, firstRetry * 2 ** Math.min(entry.failures++, 20)) * (0.5 + random() / 2)
      if (!this.#abort.signal.aborted) onFailure(key, error, delay)
      observer?.retried()
    }
    observer?.finished((this.#clock.now() - started) / 1000, failed)
    entry.state = 'idle'
    if (entry.again) this.add(key)
    else if (delay !== undefined) this.addAfter(key, delay)
    else if (entry.failures === 0 && !entry.cancelDelay) this.#entries.delete(key)
  }
}
