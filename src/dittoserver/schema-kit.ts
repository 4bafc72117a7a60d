import Type, { type TInteger, type TBoolean, type TProperties, type TString, type TUnsafe } from 'typebox'

/**
 * What happens when a field of a live object is edited. The generated CRD and reference page put it into words.
 * - live: applied without touching the pod
 * - restart: the pod is replaced
 * - grow: volumes follow when it grows; it never shrinks
 * - fixed: refused after creation
 * - none: written, read by nobody
 * - status: written by the operator only
 */
export type Change = 'live' | 'restart' | 'grow' | 'fixed' | 'none' | 'status'

interface Annotations {
  change?: Change
  /** What the pattern means, as the rest of "must be …". */
  hint?: string
  /** A legal value, for the reference page; rules judge it in place of an illegal one, so that one mistake does not hide the others. */
  example?: unknown
  /** The CRD lists a field with a default as required all the same. */
  listedRequired?: boolean
}
type With<Options> = Options & Annotations

// Only shapes that are legal in a structural schema of a CustomResourceDefinition are offered here: no `const`,
// no `patternProperties`, no `$ref`, no `additionalProperties: false`. The API server rejects the rest.

interface StringOptions { default?: string, pattern?: string, minLength?: number, maxLength?: number, format?: string }
interface NumberOptions { default?: number, minimum?: number, maximum?: number, format?: 'int32' | 'int64' }

export const text = (description: string, options: With<StringOptions> = {}): TString =>
  Type.String({ maxLength: 1024, ...options, description })

export const int32 = (description: string, options: With<NumberOptions> = {}): TInteger =>
  Type.Integer({ format: 'int32', minimum: -(2 ** 31), maximum: 2 ** 31 - 1, ...options, description })

export const int64 = (description: string, options: With<NumberOptions> = {}): TInteger =>
  Type.Integer({ format: 'int64', minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER, ...options, description })

export const flag = (description: string, options: With<{ default?: boolean }> = {}): TBoolean =>
  Type.Boolean({ ...options, description })

export const choice = <const Values extends readonly string[]>(
  description: string, values: Values, options: With<{ default?: Values[number] }> = {},
): TUnsafe<Values[number]> => Type.Unsafe<Values[number]>({ type: 'string', enum: [...values], ...options, description })

export const stringMap = (description: string, options: Annotations = {}): TUnsafe<Record<string, string>> =>
  Type.Unsafe({
    type: 'object', additionalProperties: { type: 'string', maxLength: 262144 }, maxProperties: 256, ...options, description,
  })

export const record = <Properties extends TProperties>(description: string, properties: Properties, options: object = {}) =>
  Type.Object(properties, { ...options, description })

/**
 * An optional object whose fields all have defaults or may be absent. In memory an absent section is filled in, so that
 * readers never test for it; the CRD carries no default for it, so that stored objects stay as short as their author wrote them.
 */
export const section = <Properties extends TProperties>(description: string, properties: Properties) =>
  Type.Object(properties, { description, default: {}, section: true })

export const list = <Item extends Parameters<typeof Type.Array>[0]>(description: string, item: Item, options: object = {}) =>
  Type.Array(item, { maxItems: 256, ...options, description })

export const maybe = Type.Optional
