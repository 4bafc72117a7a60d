import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import t from 'tap'
import { parseAllDocuments } from 'yaml'
import { unknownFields } from '../../src/check/unknown-fields.ts'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'
import { objectSchema } from '../../src/dittoserver/object-schema.ts'
import { isObject } from '../../src/dittoserver/structural.ts'
import { jsonSchema, schemaFile } from '../../src/manifests/json-schema.ts'
import { arbitrarySpec } from '../dittoserver/arbitrary.ts'

// The schema for editors and kubeconform accepts what the CustomResourceDefinition accepts under strict decoding, and nothing else.

const manifests = new URL('../../manifests/', import.meta.url)
const file = JSON.parse(readFileSync(new URL(`schema/${schemaFile}`, manifests), 'utf8')) as object
const isValid = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true, formats: { 'date-time': true } }).compile(file)
const errors = (value: unknown) => isValid(value) ? [] : (isValid.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)

const server = (spec: object, rest: object = {}) =>
  ({ apiVersion: 'dittofs.dittofs.com/v1alpha1', kind: 'DittoServer', metadata: { name: 'files' }, spec, ...rest })

t.test('it is generated', async t => {
  t.strictSame(file, JSON.parse(JSON.stringify(jsonSchema())))
  t.equal(schemaFile, 'dittoserver_v1alpha1.json')
})

t.test('all DittoServers of this repository are valid', async t => {
  let count = 0
  for (const folder of ['samples', 'examples']) {
    for (const name of readdirSync(new URL(folder, manifests)).filter(name => name.endsWith('.yaml'))) {
      const documents = parseAllDocuments(readFileSync(fileURLToPath(new URL(`${folder}/${name}`, manifests)), 'utf8'))
      for (const document of documents.map(document => document.toJS() as { kind?: string } | null)) {
        if (document?.kind !== 'DittoServer') continue
        count++
        t.strictSame(errors(document), [], name)
      }
    }
  }
  t.ok(count > 6)
})

t.test('mistakes, at their field', async t => {
  t.strictSame(errors(server({ storage: { metadataSize: '1Gi' } })), [])
  t.strictSame(errors(server({ storage: { metadataSize: '1Gi', contentSzie: '1Gi' } })), ['/spec/storage must NOT have additional properties'])
  t.strictSame(errors(server({ storage: {} })), ["/spec/storage must have required property 'metadataSize'"])
  t.strictSame(errors(server({ storage: { metadataSize: '1Gi' }, nfsPort: '2049' })), ['/spec/nfsPort must be integer'])
  t.match(errors(server({ storage: { metadataSize: '1G' } })), [/^\/spec\/storage\/metadataSize must match pattern/])
  t.match(errors({ ...server({ storage: { metadataSize: '1Gi' } }), apiVersion: 'dittofs.dittofs.com/v1' }), [/^\/apiVersion must be equal/])
})

/** The API server drops nulls where they are not allowed; here they are mistakes. */
const withoutNulls = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).flatMap(([key, inner]) => inner === null ? [] : [[key, withoutNulls(inner)]]))
}

t.test('the same verdict as strict decoding and the schema of the operator, on arbitrary servers', async t => {
  let [valid, invalid] = [0, 0]
  fc.assert(fc.property(arbitrarySpec, found => {
    const spec = withoutNulls(found)
    const object = server(spec as object)
    // JSON Schema cannot say that the elements of a list differ in one field.
    const broken = readDittoServer(object).errors.filter(({ keyword }) => keyword !== 'x-kubernetes-list-map-keys')
    const expected = broken.length === 0 && unknownFields(objectSchema, { spec: object.spec }).length === 0
    if (expected) valid++
    else invalid++
    return isValid(object) === expected
  }), { numRuns: 3000, seed: 1 })
  t.comment(`${valid} valid, ${invalid} invalid`)
  t.ok(valid > 100 && invalid > 100)
})
