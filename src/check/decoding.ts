import * as api from '../dittoserver/api.ts'
import { compileValidator } from '../dittoserver/compile-schema.ts'
import { findErrors } from '../dittoserver/schema-errors.ts'
import { specSchema, statusSchema } from '../dittoserver/schema.ts'
import { compileStructural, isObject, type StructuralSchema } from '../dittoserver/structural.ts'
import { cut, plain } from '../dittoserver/quote.ts'
import type { Finding } from '../rules/finding.ts'
import type { Complaint } from '../rules/rule.ts'
import { finalizerWarnings, metadataSyntax } from './metadata-syntax.ts'
import { manifestRules } from './manifest-rules.ts'
import { objectMetaSchema } from './object-meta-schema.ts'
import { unknownFields } from './unknown-fields.ts'

type Json = Readonly<Record<string, unknown>>

const schema: StructuralSchema = {
  type: 'object',
  properties: { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: objectMetaSchema, spec: specSchema, status: statusSchema },
}
const onlyMetadata: StructuralSchema = { type: 'object', properties: { metadata: objectMetaSchema } }
const withoutNulls = compileStructural(onlyMetadata)
const validateMetadata = compileValidator(onlyMetadata)

const finding = (rule: keyof typeof manifestRules, complaint: Complaint): Finding =>
  ({ ...complaint, rule, severity: manifestRules[rule].severity })

/** Maximum length of the name of a field or kind in a message, in characters. */
const longestName = 128

/** Text in printable form: on one line, without control characters, cut if it is long. */
const printable = (name: string) => plain(cut(name, longestName))

/**
 * The checks of kubectl and the API server before admission: the kind, unknown fields, and metadata with a wrong type or format. In the
 * same order; pure. `stored`: the object that is updated.
 */
export function decodingFindings (object: Json, stored?: Json): Finding[] {
  return [
    ...kindFindings(object), ...typeFindings(object), ...unknownFindings(object), ...syntaxFindings(object),
    ...finalizerWarnings(partOf(object), partOf(stored)).map(complaint => ({ ...complaint, rule: 'METADATA', severity: 'warn' as const })),
  ]
}

/** Why admission would never receive the object. */
export const decodingErrors = (object: Json): Finding[] => decodingFindings(object).filter(({ severity }) => severity === 'deny')

const partOf = (object: Json | undefined): Json => isObject(object?.metadata) ? object.metadata : {}

function kindFindings ({ apiVersion, kind }: Json): Finding[] {
  if (apiVersion === api.apiVersion && kind === api.kind) return []
  const field = kind === api.kind ? 'apiVersion' : 'kind'
  return [finding('KIND', {
    field,
    detail: `no matches for kind "${printable(String(kind))}" in version "${printable(String(apiVersion))}"; it must be ${api.kind} in ${api.apiVersion}`,
  })]
}

const typeFindings = (object: Json): Finding[] => findErrors(onlyMetadata, validateMetadata, withoutNulls(object))
  .map(({ path, problem, allowed, found }) => finding('METADATA', { field: path, problem, found, detail: allowed }))

const unknownFindings = (object: Json): Finding[] => unknownFields(schema, object)
  .map(field => finding('UNKNOWN-FIELD', { field, detail: `strict decoding error: unknown field "${printable(field)}"` }))

function syntaxFindings (object: Json): Finding[] {
  const metadata = partOf(object)
  const { name, generateName } = metadata
  const complaints = metadataSyntax(metadata)
  if (!name && generateName) {
    complaints.push({ field: 'metadata.generateName', problem: 'Forbidden', detail: 'cannot use generate name with apply: set metadata.name' })
  }
  return complaints.map(complaint => finding('METADATA', complaint))
}
