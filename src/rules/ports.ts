import { effectivePorts, listeners, portConflicts } from '../dittoserver/ports.ts'
import type { Rule } from './rule.ts'

export const portConflict: Rule = {
  id: 'PORT-CONFLICT',
  severity: 'warn',
  summary: 'Two ports share a number. The warning says whether that breaks the server or is merely easy to mistake.',
  judge: ({ server }) => portConflicts(server.spec).map(({ field, port, explanation }) => ({ field, detail: `${port} is ${explanation}` })),
  example: { spec: { smb: { enabled: true, port: 12049 } } },
}

/** Ports below this one are privileged: https://www.w3.org/Daemon/User/Installation/PrivilegedPorts.html */
const firstUnprivileged = 1024

export const portPrivileged: Rule = {
  id: 'PORT-PRIV',
  severity: 'warn',
  summary: 'A port below 1024. The API and metrics ports are bound in the container, which then may need the capability NET_BIND_SERVICE; the NFS and SMB ports stand on a Service only.',
  judge: ({ server }) => effectivePorts(server.spec).filter(({ port }) => port < firstUnprivileged).map(({ field, port, role, bound }) => ({
    field,
    detail: bound
      ? `${port} is privileged: the container may need the capability NET_BIND_SERVICE`
      : `${port} is privileged; only the Service has it, the server still listens on ${listeners[role === 'smb' ? 'smb' : 'nfs']}`,
  })),
  example: { spec: { controlPlane: { port: 80 } } },
}
