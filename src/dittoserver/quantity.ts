import { quantity as pattern } from './patterns.ts'

const shape = new RegExp(pattern)
const binary: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n }
const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }

/** Digits behind the point that a parsed quantity keeps: the smallest suffix (9) and the digits a user writes before it. */
const scale = 40

/**
 * A Kubernetes quantity as a whole number of 10^-40, exact for every value that people write; undefined when it is none.
 * Exponents are cut at ±30, far beyond the 2^63 at which the API server itself stops counting.
 */
export function parseQuantity (text: string): bigint | undefined {
  if (!shape.test(text)) return undefined
  const match = /^([+-]?)([0-9]*)\.?([0-9]*)(.*)$/.exec(text)
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match ?? []
  const digits = fraction.slice(0, scale - 10)
  const mantissa = BigInt(`${whole}${digits}` || '0') * (sign === '-' ? -1n : 1n)
  const shift = binary[suffix]
  if (shift !== undefined) return (mantissa * 10n ** BigInt(scale - digits.length)) << shift
  const exponent = decimal[suffix] ?? Math.max(-30, Math.min(30, Number(suffix.slice(1))))
  const power = scale - digits.length + exponent
  return power >= 0 ? mantissa * 10n ** BigInt(power) : mantissa / 10n ** BigInt(-power)
}

/** Negative, zero or positive, as `a` is smaller than, equal to or larger than `b`; undefined when either is no quantity. */
export function compareQuantities (a: string, b: string): number | undefined {
  const left = parseQuantity(a)
  const right = parseQuantity(b)
  if (left === undefined || right === undefined) return undefined
  return left < right ? -1 : left > right ? 1 : 0
}

const mebibytes: Readonly<Record<string, number>> = { Mi: 1, Gi: 2 ** 10, Ti: 2 ** 20 }

/** Bytes of a volume size, which is a whole number of Mi, Gi or Ti; near enough for a comparison with another size. */
export const volumeBytes = (size: string): number => Number(size.slice(0, -2)) * (mebibytes[size.slice(-2)] ?? NaN) * 2 ** 20
