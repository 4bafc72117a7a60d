import { errorLine, eventLine, eventOf, bookmarkLine } from './model/watch-events.ts'
import { expired, type ModelWatch } from './model/http.ts'
import type { Change, Store } from './model/store.ts'

type End = { readonly error?: Error }

export interface WatchStreamOptions {
  readonly store: Store
  readonly watch: ModelWatch
  readonly now: () => number
  /** Calls back at a true time, or later if the reader's machine is suspended. */
  readonly wake: (at: number, run: () => void) => void
  /** How long the next event takes on its way. */
  readonly lag: () => number
}

/** The events of one watch on their way to the process that opened it: in order, each when its time has come. */
export class WatchStream implements AsyncIterable<Buffer> {
  readonly #options: WatchStreamOptions
  readonly #lines: { readonly at: number, readonly line: string }[] = []
  #end: (End & { readonly at: number }) | undefined
  #reader: PromiseWithResolvers<IteratorResult<Buffer>> | undefined
  #latest = 0
  /** No more data arrives, and the connection stays open. */
  isSilent = false
  #unsubscribe = () => {}

  constructor (options: WatchStreamOptions) {
    this.#options = options
    const { store, watch } = options
    for (const change of watch.from === 0 ? [] : store.since(watch.from) ?? []) this.#tell(change)
    this.#unsubscribe = store.onChange(change => { this.#tell(change) })
  }

  get isOpen (): boolean { return this.#end === undefined }

  bookmark (): void { this.#send(bookmarkLine(this.#options.watch, this.#options.store.version)) }

  /** The API server reports that the version has expired. */
  expire (): void {
    this.#send(errorLine(expired().body))
    this.close()
  }

  /** Nothing comes any more. With an error, the connection broke. */
  close (error?: Error): void {
    this.#unsubscribe()
    if (this.#end) return
    const at = this.#due()
    this.#end = { at, ...(error ? { error } : {}) }
    if (!this.isSilent) this.#options.wake(at, () => { this.#deliver() })
  }

  /** Ends it immediately from the reader's side: data in flight is not read. */
  abort (error: Error): void {
    this.#unsubscribe()
    this.isSilent = false
    this.#lines.length = 0
    this.#end = { at: this.#options.now(), error }
    this.#deliver()
  }

  #tell (change: Change): void {
    const event = eventOf(change, this.#options.watch)
    if (event) this.#send(eventLine(event, this.#options.watch.metadataOnly))
  }

  #send (line: string): void {
    if (this.isSilent || this.#end) return
    const at = this.#due()
    this.#lines.push({ at, line })
    this.#options.wake(at, () => { this.#deliver() })
  }

  /** No event overtakes another. */
  #due (): number {
    this.#latest = Math.max(this.#latest, this.#options.now() + this.#options.lag())
    return this.#latest
  }

  #deliver (): void {
    if (!this.#reader || this.isSilent) return
    const result = this.#take()
    if (!result) return
    const { resolve, reject } = this.#reader
    this.#reader = undefined
    if (result.error) reject(result.error)
    else if (result.text === undefined) resolve({ done: true, value: undefined })
    else resolve({ done: false, value: Buffer.from(result.text) })
  }

  #take (): { readonly text?: string, readonly error?: Error } | undefined {
    const now = this.#options.now()
    let count = 0
    while (count < this.#lines.length && (this.#lines[count]?.at ?? Infinity) <= now) count++
    if (count > 0) return { text: this.#lines.splice(0, count).map(({ line }) => line).join('') }
    if (this.#end && this.#end.at <= now && this.#lines.length === 0) return this.#end.error ? { error: this.#end.error } : {}
    return undefined
  }

  [Symbol.asyncIterator] (): AsyncIterator<Buffer> {
    return {
      next: async () => {
        const reader = Promise.withResolvers<IteratorResult<Buffer>>()
        this.#reader = reader
        this.#deliver()
        return await reader.promise
      },
      return: async () => {
        this.abort(new Error('not read any more'))
        return { done: true, value: undefined }
      },
    }
  }
}
