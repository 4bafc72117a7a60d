import type { KubernetesObject } from '../../cluster/kubernetes-object.ts'

interface Spec { readonly type?: string, readonly loadBalancerSourceRanges?: readonly string[] }

/**
 * A merge patch that removes the fields that only a LoadBalancer may have, together with the type, so that no load balancer is open to
 * everyone in between. Undefined: there are no such fields. The API server itself drops all other fields that depend on the type.
 */
export function withoutSourceRanges (wanted: KubernetesObject, current: KubernetesObject): object | undefined {
  const { type } = (wanted.spec ?? {}) as Spec
  const { loadBalancerSourceRanges: ranges = [] } = (current.spec ?? {}) as Spec
  return wanted.kind === 'Service' && type !== 'LoadBalancer' && ranges.length > 0 ? { type, loadBalancerSourceRanges: null } : undefined
}
