export interface Entry<Stored> {
  readonly resourceVersion: string | undefined
  readonly object: Stored
}

export type Change<Stored> = { readonly key: string } & (
  | { readonly type: 'added', readonly object: Stored }
  | { readonly type: 'modified', readonly object: Stored, readonly previous: Stored }
  /**
   * `object` is the last state that was observed. For an object that vanished while the watch was interrupted, it is the state before the
   * interruption.
   */
  | { readonly type: 'deleted', readonly object: Stored }
)

export type ChangeHandler<Stored> = (change: Change<Stored>) => void

/** The objects of one collection by key, and the handlers of changes. An exception in a handler is reported and has no other effect. */
export class ObjectStore<Stored> {
  readonly #entries = new Map<string, Entry<Stored>>()
  readonly #handlers = new Set<ChangeHandler<Stored>>()
  readonly #onHandlerError: (error: unknown, key: string) => void

  constructor (onHandlerError: (error: unknown, key: string) => void) {
    this.#onHandlerError = onHandlerError
  }

  get size (): number {
    return this.#entries.size
  }

  get (key: string): Stored | undefined {
    return this.#entries.get(key)?.object
  }

  values (): Stored[] {
    return Array.from(this.#entries.values(), ({ object }) => object)
  }

  /** Existing objects are passed to the handler immediately, as additions. Returns a function that removes the handler. */
  onChange (handler: ChangeHandler<Stored>): () => void {
    this.#handlers.add(handler)
    for (const [key, { object }] of this.#entries) this.#call(handler, { type: 'added', key, object })
    return () => { this.#handlers.delete(handler) }
  }

  /** Reports new and changed objects; the same version is not reported again. */
  set (key: string, entry: Entry<Stored>): void {
    const previous = this.#entries.get(key)
    this.#entries.set(key, entry)
    const { resourceVersion, object } = entry
    if (previous === undefined) this.#emit({ type: 'added', key, object })
    // Resource versions are opaque: they may only be compared for equality.
    else if (resourceVersion === undefined || previous.resourceVersion !== resourceVersion) {
      this.#emit({ type: 'modified', key, object, previous: previous.object })
    }
  }

  delete (key: string): void {
    const previous = this.#entries.get(key)
    if (previous === undefined) return
    this.#entries.delete(key)
    this.#emit({ type: 'deleted', key, object: previous.object })
  }

  /** Removes all objects without one of these keys. The keys are those of a complete list, whose objects were set before. */
  retain (keys: ReadonlySet<string>): void {
    for (const key of this.#entries.keys()) if (!keys.has(key)) this.delete(key)
  }

  #emit (change: Change<Stored>): void {
    for (const handler of this.#handlers) this.#call(handler, change)
  }

  #call (handler: ChangeHandler<Stored>, change: Change<Stored>): void {
    try {
      handler(change)
    } catch (error) {
      this.#onHandlerError(error, change.key)
    }
  }
}
