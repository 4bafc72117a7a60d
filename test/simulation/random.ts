/** A random source that is fully determined by its seed. */
export class Chance {
  #state: number

  constructor (seed: number) {
    this.#state = seed >>> 0
    for (let round = 0; round < 4; round++) this.next()
  }

  /** From 0 to 1, without 1. https://github.com/bryc/code/blob/master/jshash/PRNGs.md#mulberry32 */
  readonly next = (): number => {
    this.#state = (this.#state + 0x6D2B79F5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from `from` to `to`, both included. */
  int (from: number, to: number): number { return from + Math.floor(this.next() * (to - from + 1)) }

  /** True in a share of all cases. */
  happens (share: number): boolean { return this.next() < share }

  pick<Value> (values: readonly Value[]): Value {
    const value = values[Math.floor(this.next() * values.length)]
    if (value === undefined) throw new Error('nothing to pick from')
    return value
  }

  /** An independent source: using one does not affect the other. */
  fork (): Chance { return new Chance(Math.floor(this.next() * 2 ** 32)) }
}
