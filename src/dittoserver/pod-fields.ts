import Type from 'typebox'
import { flag, int64, list, maybe, record, text } from './schema-kit.ts'
import { quantity } from './patterns.ts'

// The parts of core/v1 that a DittoServer hands through to its pod. Spelled out rather than left open, so that a typing
// mistake is reported at `kubectl apply`. https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/

const quantities = (description: string) => maybe(Type.Unsafe<Record<string, number | string>>({
  type: 'object',
  maxProperties: 64,
  additionalProperties: {
    'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }], pattern: quantity, maxLength: 64,
  },
  description,
}))

export const resourceRequirements = (description: string) => maybe(record(description, {
  limits: quantities('Most of each compute resource that the container may use, by resource name.'),
  requests: quantities('Least of each compute resource that the container is scheduled with, by resource name.'),
  claims: maybe(list('Resource claims, by name, that the container uses.', record('One claim.', {
    name: text('Name of an entry in the resource claims of the pod.'),
    request: maybe(text('Name of the request within the claim. All of them when absent.')),
  }), { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })),
}, { change: 'restart' }))

const seLinuxOptions = maybe(record('SELinux context.', {
  level: maybe(text('SELinux level label.')),
  role: maybe(text('SELinux role label.')),
  type: maybe(text('SELinux type label.')),
  user: maybe(text('SELinux user label.')),
}))
const seccompProfile = maybe(record('Seccomp options.', {
  type: text('Kind of profile: `Localhost`, `RuntimeDefault` or `Unconfined`.'),
  localhostProfile: maybe(text('Path of a profile on the node. Only with type `Localhost`.')),
}))
const appArmorProfile = maybe(record('AppArmor options.', {
  type: text('Kind of profile: `Localhost`, `RuntimeDefault` or `Unconfined`.'),
  localhostProfile: maybe(text('Name of a profile loaded on the node. Only with type `Localhost`.')),
}))
const windowsOptions = maybe(record('Windows options.', {
  gmsaCredentialSpec: maybe(text('Content of the GMSA credential spec.', { maxLength: 65536 })),
  gmsaCredentialSpecName: maybe(text('Name of the GMSA credential spec.')),
  hostProcess: maybe(flag('Run as a host process container.')),
  runAsUserName: maybe(text('Windows user name of the entrypoint.')),
}))
const runAs = {
  runAsGroup: maybe(int64('GID of the entrypoint.')),
  runAsNonRoot: maybe(flag('The container must not run as UID 0.')),
  runAsUser: maybe(int64('UID of the entrypoint.')),
}

export const securityContext = (description: string) => maybe(record(description, {
  allowPrivilegeEscalation: maybe(flag('A process may gain more privileges than its parent.')),
  appArmorProfile,
  capabilities: maybe(record('POSIX capabilities.', {
    add: maybe(list('Added capabilities.', Type.String({ maxLength: 128 }), { 'x-kubernetes-list-type': 'atomic' })),
    drop: maybe(list('Removed capabilities.', Type.String({ maxLength: 128 }), { 'x-kubernetes-list-type': 'atomic' })),
  })),
  privileged: maybe(flag('Run in privileged mode.')),
  procMount: maybe(text('Kind of proc mount: `Default` or `Unmasked`.')),
  readOnlyRootFilesystem: maybe(flag('The root file system is read-only.')),
  ...runAs,
  seLinuxOptions,
  seccompProfile,
  windowsOptions,
}, { change: 'restart' }))

export const podSecurityContext = (description: string) => maybe(record(description, {
  appArmorProfile,
  fsGroup: maybe(int64('GID that owns the volumes.')),
  fsGroupChangePolicy: maybe(text('When ownership of volumes is changed: `OnRootMismatch` or `Always`.')),
  ...runAs,
  seLinuxChangePolicy: maybe(text('How the SELinux label reaches volumes: `MountOption` or `Recursive`.')),
  seLinuxOptions,
  seccompProfile,
  supplementalGroups: maybe(list('More GIDs of the first process.', Type.Integer({ format: 'int64' }), { 'x-kubernetes-list-type': 'atomic' })),
  supplementalGroupsPolicy: maybe(text('How supplemental groups are found: `Merge` or `Strict`.')),
  sysctls: maybe(list('Namespaced kernel parameters.', record('One parameter.', {
    name: text('Name of the parameter.'),
    value: text('Value of the parameter.'),
  }), { 'x-kubernetes-list-type': 'atomic' })),
  windowsOptions,
}, { change: 'restart' }))
