import { isNamespaceName, isObjectName } from '../cluster/object-name.ts'
import { isObject } from '../dittoserver/structural.ts'
import { quote } from '../dittoserver/quote.ts'
import type { Complaint } from '../rules/rule.ts'

type Json = Readonly<Record<string, unknown>>

/** Bytes of all keys and values together. https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/ */
const mostAnnotations = 256 * 1024

const isName = (name: string) => name.length <= 63 && /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(name)

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
function isQualifiedName (key: string): boolean {
  const [name = '', prefix, ...more] = key.split('/').reverse()
  return more.length === 0 && isName(name) && (prefix === undefined || isObjectName(prefix))
}

const qualified = "must be letters, digits, '-', '_' and '.', at most 63, after an optional DNS name and '/'"

/**
 * The checks of the API server on metadata with correct types, except the name, which an admission rule checks. Values of other types are
 * skipped.
 */
export function metadataSyntax (metadata: Json): Complaint[] {
  const { namespace, labels, annotations, finalizers, ownerReferences } = metadata
  return [
    ...typeof namespace === 'string' && namespace !== '' && !isNamespaceName(namespace)
      ? [invalid('metadata.namespace', namespace, "must be lower-case letters, digits and '-', at most 63, with a letter or digit at both ends")]
      : [],
    ...labelSyntax(textsOf(labels)),
    ...annotationSyntax(textsOf(annotations)),
    ...ownerSyntax(listOf(ownerReferences).filter(isObject)),
    ...listOf(finalizers).filter(isText).filter(name => !isQualifiedName(name)).map(name => invalid('metadata.finalizers', name, qualified)),
  ]
}

const invalid = (field: string, found: unknown, detail: string): Complaint => ({ field, problem: 'Invalid value', found, detail })

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/ */
const standardFinalizers = ['orphan', 'foregroundDeletion']

/** New finalizers whose names could collide with those of other programs. The API server only warns about them. */
export const finalizerWarnings = ({ finalizers }: Json, before: Json = {}): Complaint[] => listOf(finalizers).filter(isText)
  .filter(name => !name.includes('/') && !standardFinalizers.includes(name) && !listOf(before.finalizers).includes(name))
  .map(name => ({ field: 'metadata.finalizers', detail: `${quote(name)} has no domain: use a name such as example.com/finalizer, which no one else uses` }))

const isText = (value: unknown): value is string => typeof value === 'string'
const listOf = (value: unknown): readonly unknown[] => Array.isArray(value) ? value : []
const textsOf = (value: unknown) => Object.entries(isObject(value) ? value : {}).map(([key, text]) => [key, isText(text) ? text : ''] as const)

const labelSyntax = (labels: readonly (readonly [string, string])[]): Complaint[] => labels.flatMap(([key, value]) => [
  ...isQualifiedName(key) ? [] : [invalid('metadata.labels', key, qualified)],
  ...value === '' || isName(value)
    ? []
    : [invalid('metadata.labels', value, "must be letters, digits, '-', '_' and '.', at most 63, with a letter or digit at both ends")],
])

function annotationSyntax (annotations: readonly (readonly [string, string])[]): Complaint[] {
  const size = annotations.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0)
  return [
    ...annotations.filter(([key]) => !isQualifiedName(key.toLowerCase())).map(([key]) => invalid('metadata.annotations', key, qualified)),
    ...size > mostAnnotations
      ? [{ field: 'metadata.annotations', problem: 'Invalid value' as const, detail: `must have at most ${mostAnnotations} bytes in total, has ${size}` }]
      : [],
  ]
}

function ownerSyntax (owners: readonly Json[]): Complaint[] {
  const needed = ['apiVersion', 'kind', 'name', 'uid']
  const controllers = owners.filter(({ controller }) => controller === true)
  return [
    ...owners.flatMap((owner, index) => needed.filter(key => !owner[key])
      .map((key): Complaint => ({ field: `metadata.ownerReferences[${index}].${key}`, problem: 'Required value', detail: 'must not be empty' }))),
    ...controllers.length > 1
      ? [{ field: 'metadata.ownerReferences', problem: 'Invalid value' as const, detail: `only one owner may be the controller, not ${controllers.length}` }]
      : [],
  ]
}
