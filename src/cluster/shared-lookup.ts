import { unknown } from '../rules/facts.ts'
import { abortable } from './deadline.ts'
import type { Fact } from '../rules/facts.ts'

export interface SharedLookupOptions<Value> {
  /** Never rejects; has its own time limit. */
  readonly fetch: (key: string, signal: AbortSignal) => Promise<Fact<Value>>
  /** How long a positive answer is reused; other answers are never reused. */
  readonly reuseMs: number
  readonly maxEntries: number
  readonly now: () => number
}

interface Running<Value> {
  readonly fact: Promise<Fact<Value>>
  readonly abort: AbortController
  waiting: number
}

/** Lookups by key. Callers that look up the same key at the same time share one request. */
export class SharedLookup<Value> {
  readonly #options: SharedLookupOptions<Value>
  readonly #running = new Map<string, Running<Value>>()
  readonly #known = new Map<string, { readonly fact: Fact<Value>, readonly until: number }>()

  constructor (options: SharedLookupOptions<Value>) {
    this.#options = options
  }

  /**
   * Returns a known fact at once. Never rejects: if its signal aborts, this caller gets `unknown`. The request is aborted when the last
   * caller aborts.
   */
  find (key: string, signal: AbortSignal): Fact<Value> | Promise<Fact<Value>> {
    const known = this.#known.get(key)
    return known !== undefined && this.#options.now() < known.until ? known.fact : this.#ask(key, signal)
  }

  async #ask (key: string, signal: AbortSignal): Promise<Fact<Value>> {
    const running = this.#running.get(key)
    if (running === undefined) return await this.#wait(key, this.#begin(key), signal)
    const fact = await this.#wait(key, running, signal)
    if (fact.state !== 'absent') return fact
    // The object may have been created between the start of that request and our call. So its absence counts only if a request that started
    // after our call confirms it. Another caller may already have started such a request.
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
