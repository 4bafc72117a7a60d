import * as api from '../dittoserver/api.ts'
import { isObject } from '../dittoserver/structural.ts'
import { objectSchemaWithRules } from './crd.ts'

type Schema = Readonly<Record<string, unknown>>

/** In JSON Schema these numbers have bounds instead, and other programs may not know the names. */
const formatsOfGo: ReadonlySet<unknown> = new Set(['int32', 'int64'])

const isForJsonSchema = ([keyword, value]: [string, unknown]) =>
  !keyword.startsWith('x-kubernetes-') && !(keyword === 'format' && formatsOfGo.has(value))

/** A structural schema as JSON Schema, in which a field that it does not have is an error. */
function strict (schema: Schema): Schema {
  const { properties, items, additionalProperties, anyOf, required, ...rest } = schema
  // The API server fills in a field with a default before it validates.
  const needed = isObject(properties) && Array.isArray(required)
    ? required.filter(key => (properties[key as string] as Schema | undefined)?.default === undefined)
    : []
  return {
    ...rest['x-kubernetes-int-or-string'] ? { type: ['integer', 'string'] } : anyOf === undefined ? {} : { anyOf },
    ...Object.fromEntries(Object.entries(rest).filter(isForJsonSchema)),
    ...needed.length > 0 ? { required: needed } : {},
    ...isObject(properties) ? { properties: mapValues(properties), additionalProperties: false } : {},
    ...isObject(items) ? { items: strict(items) } : {},
    ...isObject(additionalProperties) ? { additionalProperties: strict(additionalProperties) } : {},
  }
}

const mapValues = (properties: Schema) =>
  Object.fromEntries(Object.entries(properties).map(([key, schema]) => [key, strict(schema as Schema)]))

const text = { type: 'string' }
const textMap = { type: 'object', additionalProperties: text }

/** Of metadata, what people write. The API server knows more. */
const metadata = {
  type: 'object',
  properties: { name: { ...text, maxLength: 253 }, generateName: text, namespace: text, labels: textMap, annotations: textMap },
}

/**
 * The schema of a DittoServer for editors and validators: that of the CustomResourceDefinition, without the rules in CEL. It is strict, as
 * `kubectl apply` is.
 */
export function jsonSchema (): Schema {
  const { properties, ...rest } = strict(objectSchemaWithRules()) as { properties: Schema }
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: `${api.kind} ${api.apiVersion}`,
    ...rest,
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    properties: { ...properties, apiVersion: { ...text, enum: [api.apiVersion] }, kind: { ...text, enum: [api.kind] }, metadata },
  }
}

/** The name of its file, as kubeconform looks for it: `{{.ResourceKind}}_{{.ResourceAPIVersion}}.json`. */
export const schemaFile = `${api.kind.toLowerCase()}_${api.version}.json`
