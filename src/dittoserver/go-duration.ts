import { goDuration } from './patterns.ts'

const shape = new RegExp(goDuration)
const nanoseconds: Readonly<Record<string, number>> = {
  ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9,
}
/** Nearly all durations. Reading them in parts is for the rest. */
const isSimple = /^[0-9]{1,5}[smh]$/
/** Go stores a duration as an int64 of nanoseconds: at most about 292 years. */
const longest = 2 ** 63

/** Milliseconds of a Go duration; undefined if Go could not parse it. */
export function parseGoDuration (text: string): number | undefined {
  if (isSimple.test(text)) return Number(text.slice(0, -1)) * (nanoseconds[text.slice(-1)] ?? NaN) / 1e6
  if (!shape.test(text)) return undefined
  let total = 0
  for (const [, number = '', unit = ''] of text.matchAll(/([0-9.]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/gy)) {
    total += Math.trunc(Number(number) * (nanoseconds[unit] ?? NaN))
  }
  return total < longest ? total / 1e6 : undefined
}
