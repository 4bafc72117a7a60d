import { labels, name, selector } from './installation.ts'
import type { Installation } from './installation.ts'
import type { Manifest } from './manifest.ts'

const open = (protocols: readonly string[], ports: readonly unknown[]) =>
  ({ ports: protocols.flatMap(protocol => ports.map(port => ({ protocol, port }))) })

/** By port only: the API server and the kubelet are not pods that a selector could match. */
export const networkPolicy = ({ namespace, ports, apiServerPorts, dnsPorts }: Installation): Manifest & { spec: object } => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace, labels },
  spec: {
    podSelector: { matchLabels: selector },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [open(['TCP'], [ports.webhook, ports.metrics])],
    egress: [open(['UDP', 'TCP'], dnsPorts), open(['TCP'], apiServerPorts)],
  },
})
