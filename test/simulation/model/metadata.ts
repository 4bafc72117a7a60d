import { finalizersOf, isDeleted } from './deletion.ts'
import { wrong } from './errors.ts'
import type { Cause } from './kind.ts'
import { at, isTree, withLeaf, type Tree } from './tree.ts'

/** Set only by the API server: values in a request are ignored. */
const fixed: readonly string[] = ['name', 'namespace', 'uid', 'creationTimestamp', 'generation', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'resourceVersion']

export const metadataOf = (object: unknown): Tree => {
  const found = at(object, 'metadata')
  return isTree(found) ? found : {}
}

export function keepMetadata (object: Tree, before: Tree): Tree {
  const [old, given] = [metadataOf(before), metadataOf(object)]
  const kept: Tree = {}
  for (const key of Object.keys(given)) {
    const value = fixed.includes(key) ? old[key] : given[key]
    if (value !== undefined && !(leftOut.includes(key) && isEmpty(value))) kept[key] = value
  }
  for (const key of fixed) if (old[key] !== undefined) kept[key] = old[key]
  return { ...object, metadata: kept }
}

/** If they are empty. */
const leftOut: readonly string[] = ['finalizers', 'ownerReferences', 'labels', 'annotations']
const isEmpty = (value: unknown) => Array.isArray(value) ? value.length === 0 : isTree(value) && Object.keys(value).length === 0

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
const qualifiedName = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/

export function validateMetadata (object: Tree, before?: Tree, wanted?: Tree): Cause[] {
  const uid = metadataOf(wanted).uid
  const { labels, annotations, ownerReferences } = metadataOf(object)
  const keys = (field: string, value: unknown) => Object.keys(isTree(value) ? value : {})
    .filter(key => !qualifiedName.test(key.toLowerCase()))
    .map(() => wrong('FieldValueInvalid', `metadata.${field}`))
  const values = Object.values(isTree(labels) ? labels : {}).filter(value => !labelValue.test(String(value))).map(() => wrong('FieldValueInvalid', 'metadata.labels'))
  const owners = Array.isArray(ownerReferences) ? ownerReferences : []
  const controllers = owners.filter(owner => at(owner, 'controller') === true)
  const added = before && isDeleted(before) ? finalizersOf(object).filter(entry => !finalizersOf(before).includes(entry)) : []
  return [
    ...(uid !== undefined && uid !== metadataOf(before).uid ? [wrong('FieldValueInvalid', 'metadata.uid')] : []),
    ...keys('labels', labels), ...keys('annotations', annotations), ...values,
    ...(controllers.length > 1 ? [wrong('FieldValueInvalid', 'metadata.ownerReferences')] : []),
    ...(added.length > 0 ? [wrong('FieldValueForbidden', 'metadata.finalizers')] : []),
  ]
}

/** Counts a change of anything but metadata and status. */
export function withGeneration (object: Tree, before: Tree, counts: boolean, isEqual: (a: unknown, b: unknown) => boolean): Tree {
  const generation = at(before, 'metadata', 'generation')
  if (!counts || typeof generation !== 'number') return object
  const rest = ({ metadata: _, status: __, ...others }: Tree) => others
  return isEqual(rest(object), rest(before)) ? object : withLeaf(object, ['metadata', 'generation'], generation + 1)
}
