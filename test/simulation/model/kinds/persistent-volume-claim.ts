import { parseQuantity } from '../../../../src/dittoserver/quantity.ts'
import { forbidden, wrong } from '../errors.ts'
import type { ModelKind } from '../kind.ts'
import { canonicalQuantity } from '../quantity.ts'
import { shapeOf } from '../shape.ts'
import { at, isEqual, isTree, withLeaf, type Tree } from '../tree.ts'

const request = ['spec', 'resources', 'requests', 'storage']
const sizeOf = (claim: unknown, ...path: string[]) => parseQuantity(String(at(claim, ...path) ?? '0')) ?? 0n

export function defaultClaimSpec (value: unknown): Tree {
  const spec = isTree(value) ? value : {}
  const size = at(spec, 'resources', 'requests', 'storage')
  const filled = { volumeMode: 'Filesystem', ...spec }
  return size === undefined ? filled : withLeaf(filled, ['resources', 'requests', 'storage'], canonicalQuantity(size))
}

/** The class that new claims get which do not name one. */
const defaultClass = (classes: readonly Tree[]) =>
  classes.find(found => at(found, 'metadata', 'annotations', 'storageclass.kubernetes.io/is-default-class') === 'true')

export const protectionFinalizer = 'kubernetes.io/pvc-protection'

export const persistentVolumeClaim: ModelKind = {
  group: '',
  version: 'v1',
  resource: 'persistentvolumeclaims',
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  namespaced: true,
  status: true,
  generation: false,
  returnsDeleted: true,
  shape: shapeOf({
    'spec.resources.requests': 'map',
    'spec.resources.limits': 'map',
    'spec.selector': 'atomic',
    'spec.dataSource': 'atomic',
    'status.capacity': 'map',
    'status.allocatedResources': 'map',
    'status.allocatedResourceStatuses': 'map',
    'status.conditions': ['type'],
  }),
  empty: { metadata: {}, spec: { resources: {} }, status: {} },
  defaults: object => ({ ...object, spec: defaultClaimSpec(object.spec), status: { phase: 'Pending', ...(isTree(object.status) ? object.status : {}) } }),
  prepare: (object, before, { list }) => {
    if (before) return object
    const name = at(defaultClass(list('storageclasses')), 'metadata', 'name')
    const classed = at(object, 'spec', 'storageClassName') === undefined && name !== undefined ? withLeaf(object, ['spec', 'storageClassName'], name) : object
    const finalizers = at(object, 'metadata', 'finalizers')
    return withLeaf(classed, ['metadata', 'finalizers'], [...(Array.isArray(finalizers) ? finalizers as unknown[] : []), protectionFinalizer])
  },
  validate: (object, before) => {
    if (!before) return []
    const bound = at(before, 'status', 'phase') === 'Bound'
    const fixed = (claim: Tree) => at(bound ? withLeaf(claim, request, undefined) : claim, 'spec')
    // A binder may fill in the volume, and a default class the class; neither ever changes.
    const wanted = ['volumeName', 'storageClassName'].reduce((claim, key) => at(before, 'spec', key) === undefined ? withLeaf(claim, ['spec', key], undefined) : claim, object)
    const changed = isEqual(fixed(wanted), fixed(before)) ? [] : [wrong('FieldValueForbidden', 'spec')]
    const shrunk = sizeOf(object, ...request) < sizeOf(before, ...request) && sizeOf(object, ...request) <= sizeOf(before, 'status', 'capacity', 'storage')
    return shrunk ? [...changed, wrong('FieldValueForbidden', 'spec.resources.requests.storage')] : changed
  },
  admit: (object, before, { find }) => {
    if (!before || sizeOf(object, ...request) <= sizeOf(before, ...request)) return
    const found = find('storageclasses', '', String(at(object, 'spec', 'storageClassName') ?? ''))
    if (at(before, 'status', 'phase') !== 'Bound') {
      throw forbidden('persistentvolumeclaims', String(at(object, 'metadata', 'name')), 'Only bound persistent volume claims can be expanded')
    }
    if (at(found, 'allowVolumeExpansion') !== true) {
      throw forbidden('persistentvolumeclaims', String(at(object, 'metadata', 'name')),
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize')
    }
  },
}
