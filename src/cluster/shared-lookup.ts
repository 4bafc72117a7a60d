import { unknown } from '../rules/facts.ts'
import { abortable } from './deadline.ts'
import type { Fact } from '../rules/facts.ts'

export interface SharedLookupOptions<Value> {
  /** Never rejects; has its own time limit. */
  readonly fetch: (key: string, signal: AbortSignal) => Promise<Fact<Value>>
  /** How long a positive answer is given again; nothing else ever is. */
  readonly reuseMs: number
  readonly maxEntries: number
  readonly now: () => number
}

interface Running<Value> {
  readonly fact: Promise<Fact<Value>>
  readonly abort: AbortController
  waiting: number
}

/** Lookups by key, where callers who ask for the same at the same time share one request. */
export class SharedLookup<Value> {
  readonly #options: SharedLookupOptions<Value>
  readonly #running = new Map<string, Running<Value>>()
  readonly #known = new Map<string, { readonly fact: Fact<Value>, readonly until: number }>()

  constructor (options: SharedLookupOptions<Value>) {
    this.#options = options
  }

  /** Never rejects: a signal that aborts makes the answer unknown for this caller, and ends the request with the last one. */
  async find (key: string, signal: AbortSignal): Promise<Fact<Value>> {
    const known = this.#known.get(key)
    if (known !== undefined && this.#options.now() < known.until) return known.fact
    const running = this.#running.get(key)
    if (running === undefined) return await this.#wait(key, this.#begin(key), signal)
    const fact = await this.#wait(key, running, signal)
    if (fact.state !== 'absent') return fact
    // The object may have been created between the start of that request and ours: its absence counts only when a request
    // that began after we asked finds it. Another caller in the same position may have begun one already.
    const next = this.#running.get(key)
    return await this.#wait(key, next === undefined || next === running ? this.#begin(key) : next, signal)
  }

  #begin (key: string): Running<Value> {
    const { fetch, now, reuseMs } = this.#options
    const abort = new AbortController()
    const fact = fetch(key, abort.signal).then(fact => {
      if (fact.state === 'present') this.#remember(key, { fact, until: now() + reuseMs })
      return fact
    })
    const running: Running<Value> = { fact, abort, waiting: 0 }
    this.#running.set(key, running)
    return running
  }

  async #wait (key: string, running: Running<Value>, signal: AbortSignal): Promise<Fact<Value>> {
    running.waiting++
    try {
      return await abortable(running.fact, signal)
    } catch {
      return unknown('timed out')
    } finally {
      if (--running.waiting === 0) {
        running.abort.abort()
        if (this.#running.get(key) === running) this.#running.delete(key)
      }
    }
  }

  #remember (key: string, entry: { readonly fact: Fact<Value>, readonly until: number }): void {
    this.#known.delete(key)
    const [oldest] = this.#known.keys()
    if (oldest !== undefined && this.#known.size >= this.#options.maxEntries) this.#known.delete(oldest)
    this.#known.set(key, entry)
  }
}
