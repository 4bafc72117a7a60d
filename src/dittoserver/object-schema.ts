import { specSchema } from './schema.ts'
import type { StructuralSchema } from './structural.ts'

/** The object as the API server stores and validates it. Only the operator writes `status`, so it is not judged here. */
export const objectSchema: StructuralSchema = { type: 'object', required: ['spec'], properties: { spec: specSchema } }
