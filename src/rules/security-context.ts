import { appArmorProfile, seccompProfile } from '../dittoserver/patterns.ts'
import type { DittoServerSpec } from '../dittoserver/schema.ts'
import type { Complaint, Rule } from './rule.ts'

// Checks of the API server or the kubelet on the pod, reported at the field of the DittoServer.

export const privilegedWithoutEscalation: Rule = {
  id: 'SEC-PRIVILEGED',
  severity: 'deny',
  summary: 'A privileged container always allows privilege escalation: the field cannot be false.',
  cel: [{
    at: 'spec.securityContext',
    rule: '!(has(self.privileged) && self.privileged && has(self.allowPrivilegeEscalation) && !self.allowPrivilegeEscalation)',
    restsOn: ['privileged', 'allowPrivilegeEscalation'],
    fieldPath: '.allowPrivilegeEscalation',
    message: 'cannot be false for a privileged container [SEC-PRIVILEGED]',
  }],
  judge: ({ server: { spec: { securityContext } } }) => securityContext?.privileged && securityContext.allowPrivilegeEscalation === false
    ? [{
        field: 'spec.securityContext.allowPrivilegeEscalation',
        restsOn: ['spec.securityContext.privileged', 'spec.securityContext.allowPrivilegeEscalation'],
        problem: 'Invalid value',
        found: false,
        detail: 'cannot be false for a privileged container',
      }]
    : [],
  example: { spec: { securityContext: { privileged: true, allowPrivilegeEscalation: false } } },
}

/** The user that the server runs as, and the field that sets it. Without a setting in the spec it is not root. */
const rootField = ({ securityContext, podSecurityContext }: DittoServerSpec): string | undefined => {
  if (securityContext?.runAsUser !== undefined) return securityContext.runAsUser === 0 ? 'spec.securityContext.runAsUser' : undefined
  return podSecurityContext?.runAsUser === 0 ? 'spec.podSecurityContext.runAsUser' : undefined
}

const rootMessage = 'root needs securityContext.runAsNonRoot: false'

export const rootRefused: Rule = {
  id: 'SEC-ROOT',
  severity: 'deny',
  summary: 'The server runs as root only with `securityContext.runAsNonRoot: false`. Otherwise the kubelet does not start it.',
  cel: [{
    at: 'spec',
    rule: '(has(self.securityContext) && has(self.securityContext.runAsNonRoot) && !self.securityContext.runAsNonRoot) || ' +
      '(has(self.securityContext) && has(self.securityContext.runAsUser) ? self.securityContext.runAsUser != 0 : !(has(self.podSecurityContext) && has(self.podSecurityContext.runAsUser) && self.podSecurityContext.runAsUser == 0))',
    restsOn: ['securityContext.runAsNonRoot', 'securityContext.runAsUser', 'podSecurityContext.runAsUser'],
    message: `${rootMessage} [SEC-ROOT]`,
  }],
  judge: ({ server: { spec } }) => {
    const field = rootField(spec)
    if (field === undefined || spec.securityContext?.runAsNonRoot === false) return []
    return [{
      field,
      restsOn: ['spec.securityContext.runAsNonRoot', 'spec.securityContext.runAsUser', 'spec.podSecurityContext.runAsUser'],
      problem: 'Forbidden',
      detail: rootMessage,
    }]
  },
  example: { spec: { securityContext: { runAsUser: 0 } } },
}

const contexts = ['securityContext', 'podSecurityContext'] as const
const kinds = ['seccompProfile', 'appArmorProfile'] as const
const places = contexts.flatMap(context => kinds.map(kind => ({ context, kind, at: `spec.${context}.${kind}` })))

const shape = { seccompProfile, appArmorProfile }

const wanted = 'must be set if, and only if, the type is Localhost'
const wording = { seccompProfile: 'must be a relative path in which no part begins with a dot', appArmorProfile: 'must not begin or end with whitespace' }

export const localhostProfile: Rule = {
  id: 'SEC-PROFILE',
  severity: 'deny',
  summary: '`localhostProfile` belongs to the type `Localhost`. For seccomp it is a path below the profile folder of the node.',
  cel: places.flatMap(({ at, kind }) => [
    {
      at,
      rule: "has(self.localhostProfile) == (has(self.type) && self.type == 'Localhost')",
      restsOn: ['type', 'localhostProfile'],
      fieldPath: '.localhostProfile',
      message: `${wanted} [SEC-PROFILE]`,
    },
    { at: `${at}.localhostProfile`, rule: `self.matches(r'${shape[kind]}')`, message: `${wording[kind]} [SEC-PROFILE]` },
  ]),
  judge: ({ server: { spec } }) => {
    const complaints: Complaint[] = []
    for (const { at, context, kind } of places) {
      const profile = spec[context]?.[kind]
      if (!profile) continue
      const field = `${at}.localhostProfile`
      const { type, localhostProfile: found } = profile
      const rest = { field, restsOn: [`${at}.type`, field] }
      if (found === undefined && type === 'Localhost') complaints.push({ ...rest, problem: 'Required value', detail: 'type Localhost needs it' })
      if (found !== undefined && type !== 'Localhost') complaints.push({ ...rest, problem: 'Forbidden', detail: 'only with type Localhost' })
      if (found !== undefined && !new RegExp(shape[kind]).test(found)) complaints.push({ field, problem: 'Invalid value', found, detail: wording[kind] })
    }
    return complaints
  },
  example: { spec: { securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: '../profile.json' } } } },
}

/** https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#efficient-selinux-volume-relabeling */
export const seLinuxMount: Rule = {
  id: 'SEC-SELINUX',
  severity: 'warn',
  summary: '`seLinuxChangePolicy: MountOption` needs the feature gate `SELinuxMount` of the API server. Without it, the StatefulSet is refused.',
  judge: ({ server: { spec: { podSecurityContext } } }) => podSecurityContext?.seLinuxChangePolicy === 'MountOption'
    ? [{
        field: 'spec.podSecurityContext.seLinuxChangePolicy',
        detail: 'MountOption needs the feature gate SELinuxMount',
      }]
    : [],
  example: { spec: { podSecurityContext: { seLinuxChangePolicy: 'MountOption' } } },
}
