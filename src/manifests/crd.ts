import * as api from '../dittoserver/api.ts'
import { specSchema, statusSchema } from '../dittoserver/schema.ts'
import { storedSchema, type StructuralSchema } from '../dittoserver/structural.ts'
import { celValidation } from '../rules/cel.ts'
import type { CelRule } from '../rules/rule.ts'
import { rules } from '../rules/table.ts'

/** The keywords that a structural schema may contain. The API server would report any other keyword only at install. */
const legal = new Set([
  'type', 'description', 'default', 'enum', 'pattern', 'format', 'minLength', 'maxLength', 'minimum', 'maximum', 'maxItems', 'maxProperties',
  'required', 'properties', 'additionalProperties', 'items', 'anyOf',
])
/** Our own keywords: they become part of the description, or are only used internally. */
const annotations = new Set(['change', 'example', 'hint', 'section', 'listedRequired'])

/** By the effect of a change: see `Change` in schema-kit.ts. */
export const changes: Readonly<Record<string, string>> = {
  live: 'May change; the pod keeps running.',
  restart: 'May change; the pod restarts.',
  grow: 'May grow, never shrink.',
  fixed: 'Cannot change after creation.',
  none: 'May change, without effect.',
  status: 'Read-only.',
}

/** A description with the default and the effect of a change. */
export function describe ({ description = '', default: preset, change, type, properties }: StructuralSchema): string {
  const said = preset === undefined || type === 'object' || description.includes('Default:') ? '' : ` Default: ${preset === '' ? 'empty' : String(preset)}.`
  const edit = change && !properties ? ` ${changes[change] ?? ''}` : ''
  return `${description}${said}${edit}`
}

export function toCrdSchema (schema: StructuralSchema, path: string, cel: readonly CelRule[]): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const [keyword, value] of Object.entries(storedKeywords(schema))) {
    if (annotations.has(keyword)) continue
    if (!legal.has(keyword) && !keyword.startsWith('x-kubernetes-')) throw new Error(`${path}: '${keyword}' is not legal in a structural schema`)
    result[keyword] = value
  }
  if (schema.description !== undefined) result.description = describe(schema)
  if (schema.properties) {
    result.properties = Object.fromEntries(Object.entries(schema.properties)
      .map(([key, property]) => [key, toCrdSchema(property, path ? `${path}.${key}` : key, cel)]))
  }
  if (schema.items) result.items = toCrdSchema(schema.items, `${path}[]`, cel)
  if (schema.additionalProperties) result.additionalProperties = toCrdSchema(schema.additionalProperties, `${path}{}`, cel)
  const validations = cel.filter(({ at }) => at === path).map(celValidation)
  if (validations.length > 0) result['x-kubernetes-validations'] = validations
  return result
}

/** A key with a default is never missing; listing it as required would mislead readers of `kubectl explain`. */
function storedKeywords (schema: StructuralSchema): StructuralSchema {
  const { required, ...rest } = storedSchema(schema)
  const needed = (required ?? []).filter(key => {
    const property = schema.properties?.[key]
    return property?.default === undefined || property.listedRequired
  })
  return needed.length > 0 ? { ...rest, required: needed } : rest
}

function nodeExists (schema: StructuralSchema, path: string): boolean {
  let node: StructuralSchema | undefined = schema
  for (const key of path.split('.').filter(Boolean)) node = node?.properties?.[key]
  return node !== undefined
}

const column = (name: string, type: string, jsonPath: string, description: string, priority = 0) =>
  ({ name, type, jsonPath, description, ...(priority ? { priority } : {}) })

/** The schema of the object, with every rule that the API server can check itself. */
export function objectSchemaWithRules (): Record<string, unknown> {
  const root: StructuralSchema = {
    type: 'object',
    description: 'A DittoFS file server.',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', description: 'Version of the schema of this object.' },
      kind: { type: 'string', description: 'Kind of this object.' },
      metadata: { type: 'object' },
      spec: specSchema,
      status: statusSchema,
    },
  }
  const cel = rules.flatMap(rule => rule.cel ?? [])
  for (const { at, rule } of cel) if (!nodeExists(root, at)) throw new Error(`no '${at}' in the schema for the rule ${rule}`)
  return toCrdSchema(root, '', cel)
}

export function customResourceDefinition () {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: api.crdName },
    spec: {
      group: api.group,
      names: { kind: api.kind, listKind: `${api.kind}List`, plural: api.plural, singular: 'dittoserver', shortNames: ['ditto', 'dittofs'] },
      scope: 'Namespaced',
      versions: [{
        name: api.version,
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          column('Ready', 'string', '.status.conditions[?(@.type=="Ready")].status', 'Whether the server is fully operational.'),
          column('Status', 'string', '.status.phase', 'Summary of the state.'),
          column('Database', 'string', '.status.database', 'The database of the server.'),
          column('Size', 'string', '.spec.storage.metadataSize', 'Size of the metadata volume.'),
          column('Age', 'date', '.metadata.creationTimestamp', 'Time since creation.'),
          column('Endpoint', 'string', '.status.nfsEndpoint', 'Host and port of NFS inside the cluster.', 1),
          column('Version', 'string', '.spec.image', 'Image of the server, whose tag is its version.', 1),
          column('Message', 'string', '.status.conditions[?(@.type=="Ready")].message', 'Why the server is, or is not, ready.', 1),
        ],
        schema: { openAPIV3Schema: objectSchemaWithRules() },
      }],
    },
  }
}
