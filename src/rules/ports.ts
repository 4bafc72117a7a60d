import { effectivePorts, listeners, portConflicts } from '../dittoserver/ports.ts'
import type { Rule } from './rule.ts'

export const portConflict: Rule = {
  id: 'PORT-CONFLICT',
  severity: 'warn',
  summary: 'Two ports have the same number. The warning says whether this breaks the server or is only confusing.',
  judge: ({ server }) => portConflicts(server.spec).map(({ field, restsOn, port, explanation }) => ({ field, restsOn, detail: `${port} is ${explanation}` })),
  example: { spec: { smb: { enabled: true, port: 12049 } } },
}

/** Ports below this one are privileged: https://www.w3.org/Daemon/User/Installation/PrivilegedPorts.html */
const firstUnprivileged = 1024

export const portPrivileged: Rule = {
  id: 'PORT-PRIV',
  severity: 'warn',
  summary: 'A port below 1024. NFS and SMB ports are on a Service only and work; the API and metrics ports are bound in the container, which may need the capability NET_BIND_SERVICE.',
  when: ['spec.nfsPort', 'spec.controlPlane.port', 'spec.smb.enabled', 'spec.smb.port', 'spec.metrics.enabled', 'spec.metrics.port'],
  judge: ({ server }) => effectivePorts(server.spec).filter(({ port }) => port < firstUnprivileged).map(({ field, port, role, bound }) => ({
    field,
    detail: bound
      ? `${port} is privileged: the container may need the capability NET_BIND_SERVICE`
      : `${port} is privileged; it works: only the Service uses it, and the server listens on ${listeners[role === 'smb' ? 'smb' : 'nfs']}`,
  })),
  example: { spec: { controlPlane: { port: 80 }, smb: { enabled: true, port: 445 } } },
}
