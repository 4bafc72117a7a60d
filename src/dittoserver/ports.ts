import type { DittoServerSpec } from './schema.ts'

/**
 * The ports on which the server really listens. The NFS and SMB ports of a DittoServer are ports of its Service; the API and metrics ports
 * are both.
 */
export const listeners = { nfs: 12049, smb: 1445 } as const

export type Role = 'nfs' | 'api' | 'smb' | 'metrics'

export interface EffectivePort {
  readonly role: Role
  readonly field: string
  readonly port: number
  /** The server binds this port in its container; otherwise only a Service uses it. */
  readonly bound: boolean
}

/** The ports in use, in the order in which everything about ports is reported. */
export function effectivePorts (spec: DittoServerSpec): EffectivePort[] {
  const ports: EffectivePort[] = [
    { role: 'nfs', field: 'spec.nfsPort', port: spec.nfsPort, bound: false },
    { role: 'api', field: 'spec.controlPlane.port', port: spec.controlPlane.port, bound: true },
  ]
  if (spec.smb.enabled) ports.push({ role: 'smb', field: 'spec.smb.port', port: spec.smb.port, bound: false })
  if (spec.metrics.enabled) ports.push({ role: 'metrics', field: 'spec.metrics.port', port: spec.metrics.port, bound: true })
  return ports
}

export interface PortConflict {
  readonly field: string
  /** All fields that the conflict depends on. */
  readonly restsOn: readonly string[]
  readonly port: number
  /** The Service is broken, or the server cannot bind. Otherwise two Services only use the same number. */
  readonly real: boolean
  readonly explanation: string
}

/** All port conflicts, in a fixed order, each at the field of the later role. */
export function portConflicts (spec: DittoServerSpec): PortConflict[] {
  const conflicts: PortConflict[] = []
  const ports = effectivePorts(spec)
  for (const later of ports) {
    const { field, port } = later
    const listener = later.bound ? listenerOn(port) : undefined
    if (listener) {
      conflicts.push({ field, restsOn: fieldsOf(later), port, real: true, explanation: `where the server listens for ${listener.toUpperCase()}; one container cannot bind both` })
    }
    for (const earlier of ports) {
      if (earlier === later) break
      if (earlier.port !== port) continue
      // Already reported: the number is the listener of this role itself.
      if (listener === earlier.role) continue
      conflicts.push({ field, restsOn: [...fieldsOf(earlier), ...fieldsOf(later)], port, ...explain(earlier, later) })
    }
  }
  return conflicts
}

/** For an optional port, the conflict also depends on its switch. */
const fieldsOf = ({ role, field }: EffectivePort): string[] => role === 'smb' || role === 'metrics' ? [field, `spec.${role}.enabled`] : [field]

const listenerOn = (port: number): 'nfs' | 'smb' | undefined =>
  port === listeners.nfs ? 'nfs' : port === listeners.smb ? 'smb' : undefined

function explain (earlier: EffectivePort, later: EffectivePort): { real: boolean, explanation: string } {
  const other = `also the ${earlier.role} port`
  if (earlier.role === 'nfs' && later.role === 'smb') return { real: true, explanation: `${other}; one Service cannot carry both` }
  if (earlier.bound && later.bound) return { real: true, explanation: `${other}; one container cannot bind both` }
  return { real: false, explanation: `${other}; it works, on two Services, but is confusing` }
}
