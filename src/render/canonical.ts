import { parseQuantity, quantityScale } from '../dittoserver/quantity.ts'
import { isObject } from '../dittoserver/structural.ts'

/**
 * Normalizes values to the form that the API server stores, so that a later comparison finds them unchanged.
 * https://pkg.go.dev/k8s.io/apimachinery/pkg/api/resource#Quantity
 */

const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const decimalSuffixes: Readonly<Record<number, string>> = { [-9]: 'n', [-6]: 'u', [-3]: 'm', 0: '', 3: 'k', 6: 'M', 9: 'G', 12: 'T', 15: 'P', 18: 'E' }

/** A quantity in its canonical form: `1024Mi` is `1Gi`, `0.5` is `500m`. Anything else is returned unchanged. */
export const canonicalQuantity = (text: string): string => spell(text, 1n)

/** `step`: in billionths. A value that is not a multiple of it is rounded up. */
function spell (text: string, step: bigint): string {
  const scaled = parseQuantity(text)
  if (scaled === undefined) return text
  const one = 10n ** BigInt(quantityScale)
  // Below a billionth the API server rounds up, away from zero.
  const nano = divideUp(scaled, step * one / 10n ** 9n) * step
  if (nano === 0n) return '0'
  const isBinary = /[KMGTPE]i$/.test(text)
  if (isBinary && abs(nano) >= 1024n * 10n ** 9n) return binary(divideUp(nano, 10n ** 9n))
  return decimal(nano, /[eE][+-]?[0-9]+$/.test(text))
}

/** The largest quantity of the API server: `8Ei` is stored as this number of bytes. */
const mostBinary = 2n ** 63n - 1n

function binary (whole: bigint): string {
  let [value, power] = [whole > mostBinary ? mostBinary : whole, 0]
  while (value % 1024n === 0n) {
    value /= 1024n
    power++
  }
  return `${value}${binarySuffixes[power]}`
}

function decimal (nano: bigint, hasExponent: boolean): string {
  let [value, exponent] = [nano, -9]
  const highest = hasExponent ? Infinity : 18
  while (value % 1000n === 0n && exponent < highest) {
    value /= 1000n
    exponent += 3
  }
  if (hasExponent) return exponent === 0 ? `${value}` : `${value}e${exponent}`
  return `${value}${decimalSuffixes[exponent] ?? ''}`
}

const abs = (value: bigint) => value < 0n ? -value : value

function divideUp (value: bigint, by: bigint): bigint {
  const rest = value % by
  return value / by + (rest === 0n ? 0n : value < 0n ? -1n : 1n)
}

/** Removes what the API server drops from the fields of a pod: nulls, empty strings, empty lists and empty maps. */
export const withoutEmpty = <Value>(value: Value): Value | undefined => pruned(value) as Value | undefined

function pruned (value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((entry: unknown) => pruned(entry) ?? entry)
  if (!isObject(value)) return value === null || value === '' ? undefined : value
  const kept = Object.entries(value).map(([key, entry]) => [key, pruned(entry)] as const).filter(([, entry]) => entry !== undefined)
  return kept.length === 0 ? undefined : Object.fromEntries(kept)
}

/** A map of quantities by name, such as `limits`, which the API server rounds up to thousandths. Numbers become strings. */
export const canonicalQuantities = (quantities: Readonly<Record<string, string | number>> | undefined) =>
  quantities && Object.fromEntries(Object.entries(quantities).map(([name, quantity]) => [name, spell(String(quantity), 1_000_000n)]))
