import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { isObject, type StructuralSchema } from './structural.ts'

/** One way in which a value does not fit its schema. `path` has no leading dot: `storage.metadataSize`, `smb.port`. */
export interface SchemaError {
  readonly path: string
  readonly keyword: string
  readonly problem: 'Required value' | 'Invalid value' | 'Unsupported value'
  /** What is allowed, as the rest of a sentence: "must be at most 65535". */
  readonly allowed: string
  readonly found: unknown
}

/** Keywords of ours and of Kubernetes that say nothing about validity. */
const annotations = [
  'change', 'example', 'hint', 'section', 'listedRequired',
  'x-kubernetes-int-or-string', 'x-kubernetes-list-type', 'x-kubernetes-map-type',
]

/** Compiles once; the returned function never throws and collects every error. */
export function compileValidator (schema: StructuralSchema): (value: unknown) => SchemaError[] {
  const validate = compile(schema, true)
  return value => validate(value) ? [] : distinct((validate.errors ?? []).map(toSchemaError))
}

/** Compiles once; the returned function never throws and looks no further than the first error. */
export const compileTest = (schema: StructuralSchema): (value: unknown) => boolean => compile(schema, false)

function compile (schema: StructuralSchema, allErrors: boolean): ValidateFunction {
  const ajv = new Ajv({
    allErrors,
    strict: true,
    // `pattern` beside `anyOf` (int-or-string) speaks of the string only, which strictTypes does not see.
    strictTypes: false,
    verbose: true,
    // The API server does not check `int32` and the like either: bounds are stated as minimum and maximum.
    validateFormats: false,
  })
  for (const keyword of annotations) ajv.addKeyword(keyword)
  ajv.addKeyword({
    keyword: 'x-kubernetes-list-map-keys',
    type: 'array',
    validate: (keys: string[], items: unknown[]) =>
      new Set(items.map(item => isObject(item) ? JSON.stringify(keys.map(key => String(item[key]))) : item)).size === items.length,
  })
  return ajv.compile(schema)
}

function toSchemaError (error: ErrorObject): SchemaError {
  const at = pathOf(error.instancePath)
  const params = error.params as Record<string, unknown>
  if (error.keyword === 'required') {
    const path = [at, String(params.missingProperty)].filter(Boolean).join('.')
    return { path, keyword: 'required', problem: 'Required value', allowed: 'must be set', found: undefined }
  }
  const problem = error.keyword === 'enum' ? 'Unsupported value' : 'Invalid value'
  return { path: at, keyword: error.keyword, problem, allowed: allowedBy(error.keyword, params, error), found: error.data }
}

function allowedBy (keyword: string, params: Record<string, unknown>, error: ErrorObject): string {
  switch (keyword) {
    case 'type': return `must be ${article(String(params.type))}`
    case 'enum': return `must be one of ${(params.allowedValues as string[]).map(v => `'${v}'`).join(', ')}`
    case 'minimum': return `must be at least ${String(params.limit)}`
    case 'maximum': return `must be at most ${String(params.limit)}`
    case 'minLength': return params.limit === 1 ? 'must not be empty' : `must have at least ${String(params.limit)} characters`
    case 'maxLength': return `must have at most ${String(params.limit)} characters`
    case 'maxItems': return `must have at most ${String(params.limit)} items`
    case 'maxProperties': return `must have at most ${String(params.limit)} entries`
    case 'x-kubernetes-list-map-keys': return 'must not list the same key twice'
    case 'pattern': return patternHint(String(params.pattern), error)
    default: return error.message ?? `must satisfy ${keyword}`
  }
}

const article = (type: string) => /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`

const patternHint = (pattern: string, error: ErrorObject) => {
  const hint = isObject(error.parentSchema) ? error.parentSchema.hint : undefined
  return typeof hint === 'string' ? `must be ${hint}` : `must match ${pattern}`
}

/** `/percona/backup/bucket` → `percona.backup.bucket`; `/status/conditions/0` → `status.conditions[0]`. */
function pathOf (instancePath: string): string {
  return instancePath.split('/').slice(1)
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, part) => /^\d+$/.test(part) ? `${path}[${part}]` : path ? `${path}.${part}` : part, '')
}

function distinct (errors: SchemaError[]): SchemaError[] {
  const seen = new Set<string>()
  return errors.filter(({ path, keyword }) => {
    const key = `${path} ${keyword}`
    return seen.has(key) ? false : seen.add(key)
  })
}
