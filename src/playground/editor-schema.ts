import { objectMetaSchema } from '../check/object-meta-schema.ts'
import { apiVersion, kind } from '../dittoserver/api.ts'
import { customResourceDefinition } from '../manifests/crd.ts'

/** Of the metadata, what one writes into a manifest. */
const metadata = ['name', 'namespace', 'labels', 'annotations'] as const

/** The schema for whoever edits a manifest: that of the CustomResourceDefinition, with the metadata, and without the status. */
export function editorSchema () {
  const [version] = customResourceDefinition().spec.versions
  const { properties, ...rest } = version?.schema.openAPIV3Schema as { properties: Readonly<Record<string, object>> }
  const { status: _, ...fields } = properties
  return {
    ...rest,
    properties: {
      ...fields,
      apiVersion: { ...fields.apiVersion, enum: [apiVersion] },
      kind: { ...fields.kind, enum: [kind] },
      metadata: { type: 'object', description: 'Name, namespace, labels and annotations.', properties: Object.fromEntries(metadata.map(name => [name, objectMetaSchema.properties?.[name]])) },
    },
  }
}
