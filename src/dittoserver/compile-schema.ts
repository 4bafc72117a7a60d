import { _, Ajv, type CodeOptions, type ValidateFunction } from 'ajv'
import type { StructuralSchema } from './structural.ts'
import { hasUniqueKeys } from './unique-keys.ts'

/** Keywords of our own and of Kubernetes that do not affect validity. */
const annotations = [
  'change', 'example', 'hint', 'section', 'listedRequired',
  'x-kubernetes-int-or-string', 'x-kubernetes-list-type', 'x-kubernetes-map-type',
]

/** The ajv instance of all validators. With `code.source`, what it compiles can be written to a file that calls `hasUniqueKeys` by name. */
export function schemaCompiler (allErrors: boolean, code: CodeOptions = {}): Ajv {
  const ajv = new Ajv({
    allErrors,
    strict: true,
    // `pattern` with `anyOf` (int-or-string) applies only to the string, which strictTypes does not recognise.
    strictTypes: false,
    verbose: allErrors,
    messages: allErrors,
    // The API server does not check `int32` and similar formats either: bounds are defined as minimum and maximum.
    validateFormats: false,
    code,
  })
  for (const keyword of annotations) ajv.addKeyword(keyword)
  ajv.addKeyword({
    keyword: 'x-kubernetes-list-map-keys',
    type: 'array',
    code (context) {
      const unique = context.gen.scopeValue('func', { ref: hasUniqueKeys, code: _`hasUniqueKeys` })
      context.fail(_`!${unique}(${context.schemaValue}, ${context.data})`)
    },
  })
  return ajv
}

/** `errors` holds what the last call found. */
export type CompiledSchema = Pick<ValidateFunction, 'errors'> & ((value: unknown) => boolean)

/** Finds all errors of a value, with the part of the schema that each violates. */
export const compileValidator = (schema: StructuralSchema): CompiledSchema => schemaCompiler(true).compile(schema)

/** Stops at the first error. */
export const compileTest = (schema: StructuralSchema): CompiledSchema => schemaCompiler(false).compile(schema)
