import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import type { Branch } from './tree.ts'

interface Spec {
  readonly type?: string
  readonly clusterIP?: string
  readonly ports?: readonly { readonly name?: string, readonly port: number, readonly nodePort?: number }[]
}
interface Status { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string, readonly hostname?: string }[] } }

/** The addresses of a Service: where clients reach it, inside the cluster and from outside. Pure. */
export function serviceBranch (service: KubernetesObject): Pick<Branch, 'state' | 'detail' | 'facts'> {
  const { type = 'ClusterIP', clusterIP = '', ports = [] } = (service.spec ?? {}) as Spec
  const { loadBalancer } = (service.status ?? {}) as Status
  const external = (loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? [])
  const inside = clusterIP === 'None' ? 'headless' : clusterIP || 'no address'
  const outside = type !== 'LoadBalancer' ? '' : `, external ${external.join(', ') || 'pending: the cluster has not given it an address yet'}`
  const listed = ports.map(({ name = '', port, nodePort }) => `${name} ${port}${nodePort === undefined ? '' : ` (node ${nodePort})`}`)
  return {
    state: type === 'LoadBalancer' && external.length === 0 ? 'progress' : 'ok',
    detail: `${type} ${inside}${outside}: ${listed.join(', ')}`,
    facts: { type, clusterIP, external, ports: ports.map(({ name, port, nodePort }) => ({ name, port, nodePort })) },
  }
}
