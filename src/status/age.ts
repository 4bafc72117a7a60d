/** A duration, similar to the column AGE of kubectl: at most two units. Pure. */
export function ageOf (milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  for (const [unit, size, smaller, part] of units) {
    if (seconds < size * least) continue
    const whole = Math.floor(seconds / size)
    const rest = Math.floor(seconds % size / part)
    return whole >= enough || rest === 0 ? `${whole}${unit}` : `${whole}${unit}${rest}${smaller}`
  }
  return `${seconds}s`
}

/** A unit is used from two of it on: `90s`, but `2m`. */
const least = 2
/** From this number on, the smaller unit is not shown. */
const enough = 10
const units = [['d', 86_400, 'h', 3600], ['h', 3600, 'm', 60], ['m', 60, 's', 1]] as const

/** The age at `now` of something that happened at a time of the API. Empty: the time is not known. */
export function since (time: unknown, now: Date): string {
  const then = typeof time === 'string' ? Date.parse(time) : NaN
  return Number.isNaN(then) ? '' : ageOf(now.getTime() - then)
}
