import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { childMetadata, childNames, selectorLabels } from './names.ts'

interface Port { readonly name: string, readonly port: number }

/** Service ports target the named ports of the container: the numbers of NFS and SMB are only those of the Service. */
const portsOf = (ports: readonly Port[]) => ports.map(({ name, port }) => ({ name, port, targetPort: name, protocol: 'TCP' }))

interface Rest { readonly annotations?: Readonly<Record<string, string>>, readonly clusterIP?: string }

/** Fields that a cloud fills in (class, addresses, traffic policies, node ports, IP families) are not rendered, so they are not changed. */
function service (server: DittoServer, name: string, type: string, ports: readonly Port[], { annotations, clusterIP }: Rest = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...childMetadata(server, name), ...(annotations && Object.keys(annotations).length > 0 ? { annotations } : {}) },
    spec: {
      type, ...(clusterIP ? { clusterIP } : {}), selector: selectorLabels(server.metadata.name), ports: portsOf(ports),
    },
  }
}

const nfs = ({ spec }: DittoServer): Port => ({ name: 'nfs', port: spec.nfsPort })
const annotated = ({ spec: { service: { annotations } } }: DittoServer) => annotations ? { annotations } : {}

/** Provides the DNS name of the pod. */
export const headlessService = (server: DittoServer) =>
  service(server, childNames(server.metadata.name).headlessService, 'ClusterIP', [nfs(server)], { clusterIP: 'None' })

/** The Service that clients mount. */
export function fileService (server: DittoServer) {
  const { service: { type }, smb } = server.spec
  const ports = [nfs(server), ...(smb.enabled ? [{ name: 'smb', port: smb.port }] : [])]
  return service(server, childNames(server.metadata.name).fileService, type, ports, annotated(server))
}

export function apiService (server: DittoServer) {
  const { service: { type }, controlPlane } = server.spec
  return service(server, childNames(server.metadata.name).apiService, type, [{ name: 'api', port: controlPlane.port }], annotated(server))
}

/** Only with `metrics.enabled`, and never reachable from outside the cluster. */
export const metricsService = (server: DittoServer) =>
  service(server, childNames(server.metadata.name).metricsService, 'ClusterIP', [{ name: 'metrics', port: server.spec.metrics.port }])
