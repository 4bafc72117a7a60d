import { signedQuantity } from './patterns.ts'

const shape = new RegExp(signedQuantity)
const binary: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n }
const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }

/** Decimal digits that a parsed quantity keeps: those of the smallest suffix (9) and those that a user writes. */
export const quantityScale = 40
const scale = quantityScale

/**
 * A Kubernetes quantity as an integer multiple of 10^-40, exact for all realistic values; undefined if it is invalid. Exponents are limited
 * to ±30, far beyond the limit of the API server, 2^63.
 */
export function parseQuantity (text: string): bigint | undefined {
  if (!shape.test(text)) return undefined
  const match = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(.*)$/s.exec(text)
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match ?? []
  const digits = fraction.slice(0, scale - 10)
  const mantissa = BigInt(`${whole}${digits}` || '0') * (sign === '-' ? -1n : 1n)
  const shift = binary[suffix]
  if (shift !== undefined) return (mantissa * 10n ** BigInt(scale - digits.length)) << shift
  const exponent = decimal[suffix] ?? Math.max(-30, Math.min(30, Number(suffix.slice(1))))
  const power = scale - digits.length + exponent
  return power >= 0 ? mantissa * 10n ** BigInt(power) : mantissa / 10n ** BigInt(-power)
}

/** Negative, zero or positive, if `a` is smaller than, equal to or larger than `b`; undefined if either is not a quantity. */
export function compareQuantities (a: string, b: string): number | undefined {
  const left = parseQuantity(a)
  const right = parseQuantity(b)
  if (left === undefined || right === undefined) return undefined
  return left < right ? -1 : left > right ? 1 : 0
}

const mebibytes: Readonly<Record<string, number>> = { Mi: 1, Gi: 2 ** 10, Ti: 2 ** 20 }

/** Bytes of a volume size in Mi, Gi or Ti; precise enough for comparisons. */
export const volumeBytes = (size: string): number => Number(size.slice(0, -2)) * (mebibytes[size.slice(-2)] ?? NaN) * 2 ** 20
