import type { StructuralSchema } from '../dittoserver/structural.ts'

const text: StructuralSchema = { type: 'string' }
const flag: StructuralSchema = { type: 'boolean' }
const whole: StructuralSchema = { type: 'integer' }
const texts: StructuralSchema = { type: 'object', additionalProperties: text }
const time: StructuralSchema = {
  type: 'string', pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$', hint: 'a time, such as 2026-01-31T12:00:00Z',
}
const record = (properties: Readonly<Record<string, StructuralSchema>>): StructuralSchema => ({ type: 'object', properties })

/** All fields of object metadata. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/ */
export const objectMetaSchema: StructuralSchema = record({
  name: text,
  generateName: text,
  namespace: text,
  selfLink: text,
  uid: text,
  resourceVersion: text,
  generation: whole,
  creationTimestamp: time,
  deletionTimestamp: time,
  deletionGracePeriodSeconds: whole,
  labels: texts,
  annotations: texts,
  ownerReferences: { type: 'array', items: record({ apiVersion: text, kind: text, name: text, uid: text, controller: flag, blockOwnerDeletion: flag }) },
  finalizers: { type: 'array', items: text },
  managedFields: {
    type: 'array',
    // The applied fields, in a special format.
    items: record({ manager: text, operation: text, apiVersion: text, time, fieldsType: text, fieldsV1: { type: 'object', additionalProperties: {} }, subresource: text }),
  },
})
