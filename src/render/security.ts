import type { DittoServerSpec } from '../dittoserver/schema.ts'

/** User and group of the server's image. */
const serverUser = 65532

/** What a namespace that enforces Pod Security `restricted` asks of a container. */
export const restrictedSecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
} as const

/** The user's settings over ours, field by field; capabilities that are added do not bring the dropped ones back. */
export const containerSecurityContext = ({ securityContext = {} }: DittoServerSpec) => ({
  ...restrictedSecurityContext,
  ...securityContext,
  ...(securityContext.capabilities ? { capabilities: { ...restrictedSecurityContext.capabilities, ...securityContext.capabilities } } : {}),
})

/** The user's as a whole, or ours. */
export const podSecurityContext = ({ podSecurityContext: given }: DittoServerSpec) => given ?? {
  fsGroup: serverUser, runAsUser: serverUser, runAsGroup: serverUser, runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' },
}
