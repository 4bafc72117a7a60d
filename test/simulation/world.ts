interface Due { readonly at: number, readonly order: number, run: (() => void) | undefined, readonly wakes: boolean }

const isBefore = (a: Due, b: Due) => a.at < b.at || (a.at === b.at && a.order < b.order)

const settled = async () => { await new Promise(resolve => { setImmediate(resolve) }) }

/**
 * True time, which no process in the simulation can read, and the work that is due. Milliseconds. Everything happens at points in time, one
 * after the other, and the effects of one settle before the next.
 */
export class World {
  now = 0
  #order = 0
  readonly #heap: Due[] = []

  /** Runs something at a future time. Returns a function that cancels it. */
  at (at: number, run: () => void): () => void { return this.#push(at, run, true) }

  /** The same for work that only other timed work waits for: it settles no promise. */
  quietlyAt (at: number, run: () => void): () => void { return this.#push(at, run, false) }

  async run (until: number): Promise<void> {
    // Work that was started from outside settles first.
    await settled()
    for (;;) {
      const next = this.#heap[0]
      if (!next || next.at > until) break
      this.#pop()
      if (!next.run) continue
      this.now = next.at
      next.run()
      // All that follows, however many promises it takes.
      if (next.wakes) await settled()
    }
    this.now = Math.max(this.now, until)
  }

  #push (at: number, run: () => void, wakes: boolean): () => void {
    const due: Due = { at: Math.max(at, this.now), order: this.#order++, run, wakes }
    const heap = this.#heap
    let index = heap.push(due) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (!above || isBefore(above, due)) break
      heap[index] = above
      index = parent
    }
    heap[index] = due
    return () => { due.run = undefined }
  }

  #pop (): void {
    const heap = this.#heap
    const last = heap.pop()
    if (!last || heap.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      let below = heap[child]
      const right = heap[child + 1]
      if (below && right && isBefore(right, below)) {
        below = right
        child++
      }
      if (!below || isBefore(last, below)) break
      heap[index] = below
      index = child
    }
    heap[index] = last
  }
}
