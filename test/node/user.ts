import { ConfigError } from './environment.ts'
import { podReference } from './pod.ts'
import type { Image } from './images.ts'
import type { ContainerSpec, Pod } from './pod.ts'
import type { User } from './sandbox.ts'

/** Who a container runs as: its own settings, then the pod's, then the image's. @throws ConfigError */
export function userOf (pod: Pod, { name, securityContext: own = {} }: ContainerSpec, image: Image): User {
  const shared = pod.spec.securityContext ?? {}
  const { runAsUser, runAsGroup = 0, runAsNonRoot = false, fsGroup, supplementalGroups = [] } = { ...shared, ...own }
  const user = runAsUser ?? image.user ?? 0
  if (user === 0 && runAsNonRoot) {
    const what = runAsUser === 0 ? "container's runAsUser breaks non-root policy" : 'container has runAsNonRoot and image will run as root'
    throw new ConfigError(`${what} (pod: "${podReference(pod)}", container: ${name})`)
  }
  return {
    user,
    group: runAsGroup,
    groups: [...fsGroup === undefined ? [] : [fsGroup], ...supplementalGroups],
    withoutCapabilities: own.capabilities?.drop?.includes('ALL') ?? false,
    noNewPrivileges: own.allowPrivilegeEscalation === false,
  }
}
