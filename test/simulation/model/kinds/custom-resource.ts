import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { readDittoServer, toStored } from '../../../../src/dittoserver/dittoserver.ts'
import type { CelRule } from '../../../../src/rules/rule.ts'
import { noFacts } from '../../../../src/rules/facts.ts'
import { rules } from '../../../../src/rules/table.ts'
import { wrong } from '../errors.ts'
import type { Cause, ModelKind } from '../kind.ts'
import { shapeOf, unknownShape, type Shape } from '../shape.ts'
import { at, isTree, type Tree } from '../tree.ts'

interface Schema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema
  readonly items?: Schema
  readonly 'x-kubernetes-list-type'?: 'map' | 'set' | 'atomic'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular'
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
}

interface Definition {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly group: string
    readonly names: { readonly kind: string, readonly plural: string }
    readonly versions: readonly { readonly name: string, readonly schema: { readonly openAPIV3Schema: Schema } }[]
  }
}

function shapeOfSchema (schema: Schema): Shape {
  if (schema.type === 'array') {
    const { 'x-kubernetes-list-type': kind, 'x-kubernetes-list-map-keys': keys = [], items = {} } = schema
    return kind === 'map' ? { type: 'list', keys, item: shapeOfSchema(items) } : kind === 'set' ? { type: 'set' } : { type: 'atomic' }
  }
  if (schema.type !== 'object') return schema.type === undefined ? unknownShape : { type: 'scalar' }
  if (schema['x-kubernetes-map-type'] === 'atomic') return { type: 'atomic' }
  if (schema.additionalProperties) return { type: 'map', values: shapeOfSchema(schema.additionalProperties) }
  const fields = Object.fromEntries(Object.entries(schema.properties ?? {}).map(([key, property]) => [key, shapeOfSchema(property)]))
  return { type: 'struct', fields, others: unknownShape }
}

const metadataShape = (shapeOf({}) as Shape & { type: 'struct' }).fields.metadata ?? unknownShape

/** A kind as its CustomResourceDefinition has it. */
function customResource (file: string, rest: Pick<ModelKind, 'defaults' | 'validate'>): ModelKind & { readonly definition: Tree } {
  const definition = parse(readFileSync(fileURLToPath(new URL(file, import.meta.url)), 'utf8')) as Definition
  const { group, names, versions: [served] } = definition.spec
  const version = served?.name ?? ''
  const root = shapeOfSchema(served?.schema.openAPIV3Schema ?? {}) as Shape & { type: 'struct' }
  return {
    group,
    version,
    resource: names.plural,
    kind: names.kind,
    apiVersion: `${group}/${version}`,
    namespaced: true,
    status: true,
    generation: true,
    empty: {},
    shape: { ...root, fields: { ...root.fields, metadata: metadataShape } },
    definition: definition as unknown as Tree,
    ...rest,
  }
}

/** Defaults and schema are those of the CRD, which is generated from the functions called here; another test compares the two. */
export const dittoServer = customResource('../../../../manifests/crd.yaml', {
  defaults: object => {
    const { spec } = toStored({ spec: object.spec }) as Tree
    return spec === undefined ? object : { ...object, spec }
  },
  validate: (object, before) => {
    if (before && object.spec === before.spec) return []
    const errors = readDittoServer(object).errors.map(({ path, keyword, allowed }) => wrong(keyword === 'required' ? 'FieldValueRequired' : 'FieldValueInvalid', path, allowed))
    return errors.length > 0 ? errors : transitions(object, before)
  },
})

/** The rules that the CRD carries as CEL too. */
const celRules = rules.filter(({ cel }) => cel)

function transitions (object: Tree, before: Tree | undefined): Cause[] {
  const { server } = readDittoServer(object)
  const old = before && { old: readDittoServer(before).server }
  return celRules.filter(({ operations }) => !operations || operations.includes(before ? 'UPDATE' : 'CREATE')).flatMap(({ cel = [], judge }) =>
    judge({ server, ...old, facts: noFacts, unverified: [] }).map(({ field, detail }) => {
      const path = ({ at = '', fieldPath = '' }: Partial<CelRule>) => `${at}${fieldPath}`
      const twin = cel.find(each => path(each) === field) ?? cel.find(each => field.startsWith(path(each))) ?? cel[0] ?? {}
      return wrong((twin as Partial<CelRule>).reason ?? 'FieldValueInvalid', path(twin), detail)
    }))
}

export const perconaCluster = customResource('../../../e2e/percona-crd.yaml', {
  validate: object => {
    const instances = at(object, 'spec', 'instances')
    return Array.isArray(instances) && instances.length > 0 && isTree(at(object, 'spec', 'backups')) ? [] : [wrong('FieldValueRequired', 'spec')]
  },
})
