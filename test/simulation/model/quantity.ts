/**
 * A quantity in the format of the API server: https://pkg.go.dev/k8s.io/apimachinery/pkg/api/resource#Quantity. Other values are not
 * changed.
 */
export function canonicalQuantity (value: unknown): unknown {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?([KMGTPE]i|[numkMGTPE]?|[eE][+-]?\d+)$/.exec(String(value))
  if (!match || (typeof value !== 'string' && typeof value !== 'number')) return value
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match
  const [mantissa, digits] = [BigInt(`${whole}${fraction}` || '0'), fraction.length]
  if (mantissa === 0n) return '0'
  const binary = binarySuffixes.indexOf(suffix)
  if (binary > 0) {
    const scaled = (mantissa << (10n * BigInt(binary))) * nano
    return sign.replace('+', '') + (scaled / 10n ** BigInt(digits) < 1024n * nano ? decimal(scaled, digits) : base1024(scaled, digits))
  }
  const exponent = /^[eE]./.test(suffix) ? Number(suffix.slice(1)) : (decimalSuffixes[suffix] ?? 0)
  const scaled = exponent < 0 ? mantissa * nano : mantissa * nano * 10n ** BigInt(exponent)
  const text = decimal(scaled, digits - Math.min(exponent, 0), /^[eE]./.test(suffix))
  return sign.replace('+', '') + text
}

const nano = 10n ** 9n
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const decimalSuffixes: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }

/** Whole billionths, rounded away from zero. */
function billionths (scaled: bigint, digits: number): bigint {
  const unit = 10n ** BigInt(digits)
  return (scaled + unit - 1n) / unit
}

function decimal (scaled: bigint, digits: number, asExponent = false): string {
  let value = billionths(scaled, digits)
  let exponent = -9
  while (value % 1000n === 0n && exponent < 18) {
    value /= 1000n
    exponent += 3
  }
  if (asExponent) return exponent === 0 ? `${value}` : `${value}e${exponent}`
  const suffix = Object.entries(decimalSuffixes).find(([, power]) => power === exponent)?.[0] ?? ''
  return `${value}${suffix}`
}

function base1024 (scaled: bigint, digits: number): string {
  // Of a fraction of a byte nothing is left: it is rounded up.
  let value = (billionths(scaled, digits) + nano - 1n) / nano
  let power = 0
  while (value % 1024n === 0n && power < 6) {
    value /= 1024n
    power++
  }
  return `${value}${binarySuffixes[power] ?? ''}`
}
