/** Doubles from `first` to `max`, as in the kubelet; is reset after twice `max`. Milliseconds. */
export class Backoff {
  readonly #first: number
  readonly #max: number
  #current = 0
  #updated = 0

  constructor (first: number, max: number) {
    this.#first = first
    this.#max = max
  }

  /** How long to wait, counted from `finished`. The first time there is no wait. */
  next (finished: number): number {
    const expired = finished - this.#updated > 2 * this.#max
    const wait = this.#current === 0 || expired ? 0 : this.#current
    this.#current = wait === 0 ? this.#first : Math.min(2 * this.#current, this.#max)
    this.#updated = finished + wait
    return wait
  }
}

/** As Go prints durations: `10s`, `1m20s`, `500ms`. */
export function goDuration (milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds}ms`
  const minutes = Math.floor(milliseconds / 60_000)
  const seconds = (milliseconds % 60_000) / 1000
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`
}
