import type { ErrorObject } from 'ajv'
import type { CompiledSchema } from './compile-schema.ts'
import { quote } from './quote.ts'
import { isObject, type StructuralSchema } from './structural.ts'

/** One violation of the schema. */
export interface SchemaError {
  /** For people, from the root, with map keys in quotes: `storage.metadataSize`, `service.annotations['a b']`. */
  readonly path: string
  /** For programs: the same as a list of keys. */
  readonly keys: readonly string[]
  /** The place of the value that causes the error: the parent of a missing field, and never inside a list. */
  readonly restsOn: readonly string[]
  readonly keyword: string
  readonly problem: 'Required value' | 'Invalid value' | 'Unsupported value'
  /** What is allowed, as the rest of a sentence: "must be at most 65535". */
  readonly allowed: string
  readonly found: unknown
}

/** The errors of a value, one for each place; `validate` is the compiled form of the schema. Never throws. */
export function findErrors (schema: StructuralSchema, validate: CompiledSchema, value: unknown): SchemaError[] {
  return validate(value) ? [] : distinct((validate.errors ?? []).filter(isOfItself).map(error => toSchemaError(error, schema)))
}

/** No alternative of an `anyOf` matches. */
const isOfItself = ({ schemaPath }: ErrorObject) => !schemaPath.includes('/anyOf/')

function toSchemaError (error: ErrorObject, schema: StructuralSchema): SchemaError {
  const at = error.instancePath.split('/').slice(1).map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const restsOn = outsideLists(at, schema)
  const params = error.params as Record<string, unknown>
  if (error.keyword === 'required') {
    const place = placeOf([...at, String(params.missingProperty)], schema)
    return { ...place, restsOn, keyword: 'required', problem: 'Required value', allowed: 'must be set', found: undefined }
  }
  const problem = error.keyword === 'enum' ? 'Unsupported value' : 'Invalid value'
  const allowed = allowedBy(error.keyword, params, error)
  return { ...placeOf(at, schema), restsOn, keyword: error.keyword, problem, allowed, found: error.data }
}

/** By keyword of the schema. */
const clauses: Readonly<Record<string, (params: Record<string, unknown>, hint: string | undefined) => string>> = {
  type: ({ type }) => `must be ${article(String(type))}`,
  enum: ({ allowedValues }, hint) => hint ?? oneOf(allowedValues as string[]),
  minimum: ({ limit }) => `must be at least ${String(limit)}`,
  maximum: ({ limit }) => `must be at most ${String(limit)}`,
  minLength: ({ limit }, hint) => hint ?? (limit === 1 ? 'must not be empty' : `must have at least ${String(limit)} characters`),
  maxLength: ({ limit }) => `must have at most ${String(limit)} characters`,
  maxItems: ({ limit }) => limit === 0 ? 'must be empty' : `must have at most ${String(limit)} items`,
  maxProperties: ({ limit }) => `must have at most ${String(limit)} entries`,
  pattern: ({ pattern }, hint) => hint ?? `must match ${String(pattern)}`,
  anyOf: () => 'must be a string or an integer',
  'x-kubernetes-list-map-keys': () => 'must not list the same key twice',
}

const allowedBy = (keyword: string, params: Record<string, unknown>, error: ErrorObject): string =>
  clauses[keyword]?.(params, hintOf(error)) ?? error.message ?? `must satisfy ${keyword}`

const oneOf = (values: readonly string[]) => `must be ${values.length > 1 ? 'one of ' : ''}${values.map(value => `'${value}'`).join(', ')}`

const article = (type: string) => /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`

/** The description of the allowed value in the schema. */
const hintOf = ({ parentSchema }: ErrorObject): string | undefined => {
  const hint = isObject(parentSchema) ? parentSchema.hint : undefined
  return typeof hint === 'string' ? `must be ${hint}` : undefined
}

const below = ({ items, additionalProperties, properties = {} }: StructuralSchema, key: string): StructuralSchema =>
  items ?? additionalProperties ?? properties[key] ?? {}

function placeOf (keys: readonly string[], schema: StructuralSchema): Pick<SchemaError, 'path' | 'keys'> {
  let path = ''
  let node = schema
  for (const key of keys) {
    path += node.items ? `[${key}]` : node.additionalProperties ? `[${quote(key)}]` : path ? `.${key}` : key
    node = below(node, key)
  }
  return { path, keys }
}

/** The API server compares lists as a whole with the previous state. */
function outsideLists (keys: readonly string[], schema: StructuralSchema): readonly string[] {
  let node = schema
  for (const [index, key] of keys.entries()) {
    if (node.items) return keys.slice(0, index)
    node = below(node, key)
  }
  return keys
}

function distinct (errors: SchemaError[]): SchemaError[] {
  const seen = new Set<string>()
  return errors.filter(({ keys }) => {
    const key = JSON.stringify(keys)
    return seen.has(key) ? false : seen.add(key)
  })
}
