/** The identity of the API: every name that other programs key on, stated once. */
export const group = 'dittofs.dittofs.com'
export const version = 'v1alpha1'
export const apiVersion = `${group}/${version}`
export const kind = 'DittoServer'
export const plural = 'dittoservers'
export const crdName = `${plural}.${group}`
export const finalizer = `${group}/finalizer`
export const fieldManager = 'dittofs-operator'

/** Names rule ids, separated by commas, whose refusal the author of the object takes responsibility for. */
export const acknowledgeAnnotation = `${group}/acknowledge`

export const percona = {
  group: 'pgv2.percona.com',
  version: 'v2',
  kind: 'PerconaPGCluster',
  plural: 'perconapgclusters',
  crdName: 'perconapgclusters.pgv2.percona.com',
} as const
