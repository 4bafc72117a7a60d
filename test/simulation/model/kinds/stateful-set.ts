import { wrong } from '../errors.ts'
import type { ModelKind } from '../kind.ts'
import { shapeOf } from '../shape.ts'
import { at, isEqual, isTree, withLeaf, type Tree } from '../tree.ts'
import { defaultPodSpec, podTemplateShape, validatePodSpec } from './pod-template.ts'
import { defaultClaimSpec } from './persistent-volume-claim.ts'

/** All other fields of the spec are immutable: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/ */
const changeable = ['replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy', 'minReadySeconds']

/** Zero is left out of all but two of the numbers. */
const withoutZeros = (status: Tree): Tree => Object.fromEntries(Object.entries(status).filter(([, value]) => value !== 0))

function defaults (object: Tree): Tree {
  const spec = isTree(object.spec) ? object.spec : {}
  const template = isTree(spec.template) ? spec.template : {}
  const strategy = isTree(spec.updateStrategy) ? spec.updateStrategy : {}
  const rolling = (strategy.type ?? 'RollingUpdate') === 'RollingUpdate'
  return {
    ...object,
    status: { replicas: 0, availableReplicas: 0, ...withoutZeros(isTree(object.status) ? object.status : {}) },
    spec: {
      podManagementPolicy: 'OrderedReady',
      replicas: 1,
      revisionHistoryLimit: 10,
      ...spec,
      updateStrategy: { type: 'RollingUpdate', ...strategy, ...(rolling ? { rollingUpdate: { partition: 0, ...(isTree(strategy.rollingUpdate) ? strategy.rollingUpdate : {}) } } : {}) },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain', ...(isTree(spec.persistentVolumeClaimRetentionPolicy) ? spec.persistentVolumeClaimRetentionPolicy : {}) },
      template: { ...template, metadata: template.metadata ?? {}, spec: defaultPodSpec(isTree(template.spec) ? template.spec : {}) },
      ...(Array.isArray(spec.volumeClaimTemplates)
        ? {
            volumeClaimTemplates: spec.volumeClaimTemplates.filter(isTree).map(claim => ({
              apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...claim, spec: defaultClaimSpec(claim.spec), status: { phase: 'Pending', ...(isTree(claim.status) ? claim.status : {}) },
            }))
          }
        : {}),
    },
  }
}

export const statefulSet: ModelKind = {
  group: 'apps',
  version: 'v1',
  resource: 'statefulsets',
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  namespaced: true,
  status: true,
  generation: true,
  shape: shapeOf({ 'spec.selector': 'atomic', ...podTemplateShape('spec.template'), 'status.conditions': ['type'] }),
  empty: { metadata: {}, spec: { template: { metadata: {}, spec: { containers: null } }, updateStrategy: {} }, status: {} },
  defaults,
  validate: (object, before) => {
    const claims = at(object, 'spec', 'volumeClaimTemplates')
    const names = Array.isArray(claims) ? claims.map(claim => at(claim, 'metadata', 'name')) : []
    const causes = validatePodSpec(at(object, 'spec', 'template', 'spec'), 'spec.template.spec', names)
    if (!before) return causes
    const fixed = (tree: Tree) => changeable.reduce<Tree>((spec, key) => withLeaf(spec, [key], undefined), at(tree, 'spec') as Tree)
    return isEqual(fixed(object), fixed(before)) ? causes : [...causes, wrong('FieldValueForbidden', 'spec')]
  },
}
