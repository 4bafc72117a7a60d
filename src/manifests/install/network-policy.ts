import { labels, name, selector } from './installation.ts'
import type { Installation } from './installation.ts'
import type { Manifest } from './manifest.ts'
import { ports } from './deployment.ts'

const open = (...list: [protocol: string, port: number][]) => ({ ports: list.map(([protocol, port]) => ({ protocol, port })) })

/** By port alone: neither the API server nor the kubelet is a pod that a selector could name. */
export const networkPolicy = ({ namespace }: Installation): Manifest & { spec: object } => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace, labels },
  spec: {
    podSelector: { matchLabels: selector },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [open(['TCP', ports.webhook], ['TCP', ports.metrics])],
    // Names, and the API server, before and behind the address of its Service.
    egress: [open(['UDP', 53], ['TCP', 53]), open(['TCP', 443], ['TCP', 6443])],
  },
})
