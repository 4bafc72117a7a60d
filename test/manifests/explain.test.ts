import t from 'tap'
import { customResourceDefinition } from '../../src/manifests/crd.ts'

interface Schema {
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly additionalProperties?: Schema
}

/** Paths of all properties without a description. */
function undescribed ({ properties = {}, items, additionalProperties }: Schema, path: string): string[] {
  return [
    ...Object.entries(properties).flatMap(([key, property]) => [...property.description ? [] : [`${path}.${key}`], ...undescribed(property, `${path}.${key}`)]),
    ...items ? undescribed(items, `${path}[]`) : [],
    ...additionalProperties ? undescribed(additionalProperties, `${path}{}`) : [],
  ]
}

const { versions: [version] } = customResourceDefinition().spec

t.test('kubectl explain has a text for every field', async t => {
  // The API server describes metadata itself, and allows no other text.
  t.strictSame(undescribed(version?.schema.openAPIV3Schema as Schema, ''), ['.metadata'])
})

t.test('the columns of kubectl get', async t => {
  const columns = version?.additionalPrinterColumns ?? []
  t.strictSame(columns.filter(({ priority = 0 }) => priority === 0).map(({ name }) => name), ['Ready', 'Status', 'Database', 'Size', 'Age'])
  t.strictSame(columns.filter(({ priority = 0 }) => priority > 0).map(({ name }) => name), ['Endpoint', 'Version', 'Message'], 'with -o wide')
})
