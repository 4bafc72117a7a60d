import { basename, dirname } from 'node:path'
import standalone from 'ajv/dist/standalone/index.js'
import type { Plugin } from 'esbuild'
import { schemaCompiler } from '../src/dittoserver/compile-schema.ts'
import { objectSchema } from '../src/dittoserver/object-schema.ts'
import { storedSchema, type StructuralSchema } from '../src/dittoserver/structural.ts'
import { withFileMap } from './file-map.ts'

/** The code of the validators in the place of the module that compiles them: the running program needs no ajv for a DittoServer. */
export const compiledValidators: Plugin = {
  name: 'compiled-validators',
  setup ({ onLoad }) {
    onLoad({ filter: /src\/dittoserver\/object-validators\.ts$/ }, ({ path }) => ({
      contents: withFileMap(objectValidators(), basename(path)), loader: 'js', resolveDir: dirname(path),
    }))
  },
}

/** With the exports of object-validators.ts. */
function objectValidators (): string {
  const code = (allErrors: boolean) => {
    const ajv = schemaCompiler(allErrors, { source: true })
    return standalone.default(ajv, ajv.compile(withoutDescriptions(storedSchema(objectSchema))))
  }
  // The code is CommonJS, and both pieces use the same names.
  const lazily = (name: string, code: string) => `let ${name}Made\nexport const ${name} = () => ${name}Made ??= (module => {\n${code}\nreturn module.exports })({})`
  return ["import { hasUniqueKeys } from './unique-keys.ts'", lazily('objectTest', code(false)), lazily('objectValidator', code(true))].join('\n')
}

/** The code contains the schema, and descriptions are half of its text. */
const withoutDescriptions = (schema: StructuralSchema): StructuralSchema =>
  JSON.parse(JSON.stringify(schema, (key, value: unknown) => key === 'description' && typeof value === 'string' ? undefined : value)) as StructuralSchema
