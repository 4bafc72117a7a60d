export interface Entry<Stored> {
  readonly resourceVersion: string | undefined
  readonly object: Stored
}

export type Change<Stored> = { readonly key: string } & (
  | { readonly type: 'added', readonly object: Stored }
  | { readonly type: 'modified', readonly object: Stored, readonly previous: Stored }
  /** `object` is the last state seen: of one that vanished while the watch was down, the state before that. */
  | { readonly type: 'deleted', readonly object: Stored }
)

export type ChangeHandler<Stored> = (change: Change<Stored>) => void

/** The objects of one collection by key, and who wants to hear of changes. A handler that throws is reported, and no more. */
export class ObjectStore<Stored> {
  #entries = new Map<string, Entry<Stored>>()
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

  /** The handler is told at once of what is there already, as additions. Returns what takes it off again. */
  onChange (handler: ChangeHandler<Stored>): () => void {
    this.#handlers.add(handler)
    for (const [key, { object }] of this.#entries) this.#call(handler, { type: 'added', key, object })
    return () => { this.#handlers.delete(handler) }
  }

  set (key: string, entry: Entry<Stored>): void {
    const previous = this.#entries.get(key)
    this.#entries.set(key, entry)
    this.#tell(key, previous, entry)
  }

  delete (key: string): void {
    const previous = this.#entries.get(key)
    if (previous === undefined) return
    this.#entries.delete(key)
    this.#emit({ type: 'deleted', key, object: previous.object })
  }

  /** Takes a complete list: what is new, different or gone since the last one is told; what is the same is not. */
  replace (entries: Map<string, Entry<Stored>>): void {
    const before = this.#entries
    this.#entries = entries
    for (const [key, { object }] of before) {
      if (!entries.has(key)) this.#emit({ type: 'deleted', key, object })
    }
    for (const [key, entry] of entries) this.#tell(key, before.get(key), entry)
  }

  #tell (key: string, previous: Entry<Stored> | undefined, { resourceVersion, object }: Entry<Stored>): void {
    if (previous === undefined) this.#emit({ type: 'added', key, object })
    // Resource versions are opaque: equal or not is all that may be asked of them.
    else if (resourceVersion === undefined || previous.resourceVersion !== resourceVersion) {
      this.#emit({ type: 'modified', key, object, previous: previous.object })
    }
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
