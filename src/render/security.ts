import { withoutEmpty } from './canonical.ts'
import type { DittoServerSpec } from '../dittoserver/schema.ts'

/** User and group of the server's image. */
const serverUser = 65532

/** The requirements of the Pod Security level `restricted` for a container. */
export const restrictedSecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
} as const

/** The server runs on Linux. */
function forLinux<Context extends { windowsOptions?: unknown }> ({ windowsOptions: _, ...context }: Context): Omit<Context, 'windowsOptions'> {
  return context
}

/**
 * The user's settings override ours, field by field; capabilities that the user adds do not restore the dropped ones. The API server
 * refuses a privileged container that disallows privilege escalation, so in that case our setting is omitted.
 */
export const containerSecurityContext = ({ securityContext = {} }: DittoServerSpec) => withoutEmpty({
  ...restrictedSecurityContext,
  ...(securityContext.privileged ? { allowPrivilegeEscalation: true } : {}),
  ...forLinux(securityContext),
  ...(securityContext.capabilities ? { capabilities: { ...restrictedSecurityContext.capabilities, ...securityContext.capabilities } } : {}),
})

/** The whole setting of the user, or ours. */
export const podSecurityContext = ({ podSecurityContext: given }: DittoServerSpec) => given ? withoutEmpty(forLinux(given)) : ours

const ours = {
  fsGroup: serverUser, runAsUser: serverUser, runAsGroup: serverUser, runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' },
}
