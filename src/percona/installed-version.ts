import type { KubernetesObject } from '../cluster/kubernetes-object.ts'

const label = 'pgv2.percona.com/version'

/**
 * The version of the installed Percona operator, such as `2.9.0`, from a label of its CustomResourceDefinition. Undefined if it does not
 * have the label.
 */
export function versionOnCrd ({ metadata: { labels } }: Pick<KubernetesObject, 'metadata'>): string | undefined {
  const version: unknown = labels?.[label]
  if (typeof version !== 'string') return undefined
  return /^v?(\d+\.\d+(\.\d+)?)$/.exec(version)?.[1]
}
