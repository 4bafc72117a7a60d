// Named, so that the bundle leaves out what is not used: the default export is all of typebox, interpreter and all.
import * as Type from 'typebox'
import type { TInteger, TBoolean, TProperties, TString, TUnsafe } from 'typebox'

/**
 * The effect of a change of a field on a live object. The generated CRD and reference page describe it in words.
 * - live: applied without a restart of the pod
 * - restart: the pod is replaced
 * - grow: volumes are expanded; the value cannot shrink
 * - fixed: immutable after creation
 * - none: stored, but not used
 * - status: written only by the operator
 */
export type Change = 'live' | 'restart' | 'grow' | 'fixed' | 'none' | 'status'

interface Annotations {
  change?: Change
  /** The meaning of the pattern, as the end of "must be …". */
  hint?: string
  /** A valid value, for the reference page. Rules judge it in place of an invalid value, so that one mistake does not hide others. */
  example?: unknown
  /** The CRD lists the field as required although it has a default. */
  listedRequired?: boolean
}
type With<Options> = Options & Annotations

// Only forms that are valid in a structural schema of a CustomResourceDefinition are available here: no `const`, no `patternProperties`, no
// `$ref`, no `additionalProperties: false`. The API server rejects these.

/** Constraints of a string that the schema can express. */
export interface TextSyntax { readonly pattern?: string, readonly minLength?: number, readonly maxLength: number }

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

/** UID or GID. */
export const id = (description: string, options: With<object> = {}): TInteger =>
  Type.Integer({ format: 'int64', minimum: 0, maximum: 2 ** 31 - 1, ...options, description })

export const choice = <const Values extends readonly string[]>(
  description: string, values: Values, options: With<{ default?: Values[number] }> = {},
): TUnsafe<Values[number]> => Type.Unsafe<Values[number]>({ type: 'string', enum: [...values], ...options, description })

export const stringMap = (description: string, options: Annotations = {}): TUnsafe<Record<string, string>> =>
  Type.Unsafe({
    type: 'object', additionalProperties: { type: 'string', maxLength: 262144 }, maxProperties: 64, ...options, description,
  })

export const record = <Properties extends TProperties>(description: string, properties: Properties, options: object = {}) =>
  Type.Object(properties, { ...options, description })

/**
 * An optional object whose fields all have defaults or are optional. In memory an absent section is filled in, so that readers never have
 * to check. The CRD has no default for it, so that stored objects stay as short as the applied manifests.
 */
export const section = <Properties extends TProperties>(description: string, properties: Properties) =>
  Type.Object(properties, { description, default: {}, section: true })

export const list = <Item extends Parameters<typeof Type.Array>[0]>(description: string, item: Item, options: object = {}) =>
  Type.Array(item, { maxItems: 256, ...options, description })

export const maybe = Type.Optional
