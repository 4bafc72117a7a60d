import { compileTest, compileValidator, type CompiledSchema } from './compile-schema.ts'
import { objectSchema } from './object-schema.ts'
import { storedSchema } from './structural.ts'

// The bundle contains the two compiled functions instead of this module: see .config/compiled-validators.ts. Compiling takes 100 ms of CPU
// for the first and 200 ms for the second, and an apply would wait for it.

/** Finds all errors of a DittoServer, with the part of the schema that each violates. */
export const objectValidator = (): CompiledSchema => (validator ??= compileValidator(storedSchema(objectSchema)))
let validator: CompiledSchema | undefined

/** Whether a DittoServer has no errors. */
export const objectTest = (): CompiledSchema => (test ??= compileTest(storedSchema(objectSchema)))
let test: CompiledSchema | undefined
