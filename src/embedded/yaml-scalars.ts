import type { ScalarTag, Tags } from 'yaml'

// kubectl reads YAML 1.1 with a library that omits parts of it and adds some syntax of Go: no base-60 numbers (`1:30`), no dates, but
// `0o17`.
// https://pkg.go.dev/sigs.k8s.io/yaml, https://pkg.go.dev/go.yaml.in/yaml/v2

const yamlTag = (name: string) => `tag:yaml.org,2002:${name}`

/** Tags of YAML 1.1 that kubectl reads differently, or as plain maps and lists. */
const replaced = new Set(['int', 'float', 'binary', 'timestamp', 'set', 'omap', 'pairs'].map(yamlTag))

const notFinite: Readonly<Record<string, number>> = { '.inf': Infinity, '+.inf': Infinity, '-.inf': -Infinity, '.nan': NaN }
const integer = /^([-+]?)(?:0[bB]([01]+)|0[oO]?([0-7]+)|0[xX]([0-9a-fA-F]+)|([1-9][0-9]*|0))$/
const decimal = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/
/** Larger numbers are floats, or text. */
const largestInteger = 2 ** 64

/** The number that a plain scalar represents, or its text. */
export function resolveNumber (text: string): number | string {
  if (/inf|Inf|INF|nan|NaN|NAN/.test(text)) return notFinite[text.toLowerCase()] ?? text
  const digits = text.replaceAll('_', '')
  const whole = wholeNumber(digits)
  if (Math.abs(whole) < largestInteger) return whole
  const value = decimal.test(digits) ? Number(digits) : NaN
  return Number.isFinite(value) ? value : text
}

function wholeNumber (digits: string): number {
  const [, sign, binary, octal, hexadecimal, plain] = integer.exec(digits) ?? []
  const [radix, found] = binary ? [2, binary] : octal ? [8, octal] : hexadecimal ? [16, hexadecimal] : [10, plain ?? '']
  const size = parseInt(found, radix)
  return sign === '-' && size > 0 ? -size : size
}

const number: ScalarTag = { tag: yamlTag('int'), default: true, test: /^[-+.0-9]/, resolve: resolveNumber }
const explicitFloat: ScalarTag = { tag: yamlTag('float'), resolve: resolveNumber }
const binary: ScalarTag = { tag: yamlTag('binary'), resolve: text => Buffer.from(text, 'base64').toString() }

/** For the option `customTags` of a YAML 1.1 schema. */
export const kubectlTags = (tags: Tags): Tags =>
  [...tags.filter(tag => typeof tag === 'string' || !replaced.has(tag.tag)), number, explicitFloat, binary]
