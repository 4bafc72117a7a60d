import type { StorageClassFact } from '../rules/facts.ts'
import type { KubernetesObject } from './kubernetes-object.ts'
import type { Resource } from './resource-path.ts'

export const storageClassResource: Resource = { group: 'storage.k8s.io', version: 'v1', resource: 'storageclasses' }

/**
 * The admission plugin of the API server still accepts the second annotation:
 * https://github.com/kubernetes/kubernetes/blob/master/pkg/volume/util/storageclass.go
 */
const defaultAnnotations = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class']

export const storageClassFact = ({ metadata, allowVolumeExpansion }: KubernetesObject): StorageClassFact => ({
  name: metadata.name,
  isDefault: defaultAnnotations.some(annotation => metadata.annotations?.[annotation] === 'true'),
  allowVolumeExpansion: allowVolumeExpansion === true,
})
