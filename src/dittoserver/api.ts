/** The identity of the API: all names that other programs depend on. */
export const group = 'dittofs.dittofs.com'
export const version = 'v1alpha1'
export const apiVersion = `${group}/${version}`
export const kind = 'DittoServer'
export const plural = 'dittoservers'
export const crdName = `${plural}.${group}`
export const finalizer = `${group}/finalizer`
export const fieldManager = 'dittofs-operator'

/** Contains rule IDs, separated by commas, that the author of the object acknowledges. */
export const acknowledgeAnnotation = `${group}/acknowledge`

export const percona = {
  group: 'pgv2.percona.com',
  version: 'v2',
  kind: 'PerconaPGCluster',
  plural: 'perconapgclusters',
  crdName: 'perconapgclusters.pgv2.percona.com',
} as const
