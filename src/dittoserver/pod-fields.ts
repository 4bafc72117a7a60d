import * as Type from 'typebox'
import { capabilities } from './capabilities.ts'
import { choice, flag, id, list, maybe, record, text } from './schema-kit.ts'
import * as pattern from './patterns.ts'

// The parts of core/v1 that a DittoServer passes to its pod. They are defined explicitly, so that a typing error is reported at `kubectl
// apply`. They are as strict as the validation of pods in the API server, so that every accepted value can be applied.
// https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/

export const mostResources = 16

const quantities = (description: string) => maybe(Type.Unsafe<Record<string, number | string>>({
  type: 'object',
  maxProperties: mostResources,
  additionalProperties: {
    'x-kubernetes-int-or-string': true,
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    pattern: pattern.quantity,
    minimum: 0,
    maxLength: 64,
    hint: 'a quantity, such as 500m or 2Gi',
  },
  description,
}))

export const resourceRequirements = (description: string) => maybe(record(description, {
  limits: quantities('Maximum of each compute resource that the container may use, by resource name.'),
  requests: quantities('Amount of each compute resource that the container is guaranteed, by resource name.'),
  claims: maybe(list('Must be empty: the pod has no resource claims that its container could use.', record('One claim.', {
    name: text('Name of an entry in the resource claims of the pod.'),
    request: maybe(text('Name of the request within the claim. All of them when absent.')),
  }), { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'], maxItems: 0 })),
}))

const seLinuxOptions = maybe(record('SELinux context.', {
  level: maybe(text('SELinux level label.')),
  role: maybe(text('SELinux role label.')),
  type: maybe(text('SELinux type label.')),
  user: maybe(text('SELinux user label.')),
}))
const profileType = choice('Kind of profile. `Localhost` needs `localhostProfile`.', ['RuntimeDefault', 'Unconfined', 'Localhost'])
const seccompProfile = maybe(record('Seccomp options.', {
  type: profileType,
  localhostProfile: maybe(text('Relative path of a profile on the node. Only with type `Localhost`.', { maxLength: 4095 })),
}))
const appArmorProfile = maybe(record('AppArmor options.', {
  type: profileType,
  localhostProfile: maybe(text('Name of a profile loaded on the node. Only with type `Localhost`.', { maxLength: 4095 })),
}))
const windowsOptions = maybe(record('No effect: the server runs on Linux.', {
  gmsaCredentialSpec: maybe(text('Content of the GMSA credential spec.', { maxLength: 65536 })),
  gmsaCredentialSpecName: maybe(text('Name of the GMSA credential spec.')),
  hostProcess: maybe(flag('Run as a host process container.')),
  runAsUserName: maybe(text('Windows user name of the entrypoint.')),
}, { change: 'none' }))
const runAs = {
  runAsGroup: maybe(id('GID of the entrypoint.')),
  runAsNonRoot: maybe(flag('The container must not run as UID 0.')),
  runAsUser: maybe(id('UID of the entrypoint.')),
}

const capabilityList = (description: string) =>
  maybe(list(description, choice('One capability.', capabilities, { hint: 'a Linux capability without CAP_, such as NET_BIND_SERVICE, or ALL' }), {
    'x-kubernetes-list-type': 'atomic', maxItems: 64,
  }))

export const securityContext = (description: string) => maybe(record(description, {
  allowPrivilegeEscalation: maybe(flag('A process may gain more privileges than its parent. A privileged container always may.')),
  appArmorProfile,
  capabilities: maybe(record('POSIX capabilities.', {
    add: capabilityList('Added capabilities.'),
    drop: capabilityList('Removed capabilities.'),
  })),
  privileged: maybe(flag('Run in privileged mode.')),
  procMount: maybe(choice('Kind of proc mount. `Unmasked` would need a user namespace, which the pod does not have.', ['Default'])),
  readOnlyRootFilesystem: maybe(flag('The root file system is read-only.')),
  ...runAs,
  seLinuxOptions,
  seccompProfile,
  windowsOptions,
}))

export const podSecurityContext = (description: string) => maybe(record(description, {
  appArmorProfile,
  fsGroup: maybe(id('GID that owns the volumes.')),
  fsGroupChangePolicy: maybe(choice('When ownership of volumes is changed.', ['OnRootMismatch', 'Always'])),
  ...runAs,
  seLinuxChangePolicy: maybe(choice('How the SELinux label reaches volumes.', ['MountOption', 'Recursive'])),
  seLinuxOptions,
  seccompProfile,
  supplementalGroups: maybe(list('Additional GIDs of the first process.', id('One GID.'), { 'x-kubernetes-list-type': 'atomic' })),
  supplementalGroupsPolicy: maybe(choice('How supplemental groups are determined.', ['Merge', 'Strict'])),
  sysctls: maybe(list('Namespaced kernel parameters.', record('One parameter.', {
    name: text('Name of the parameter.', { pattern: pattern.sysctl, hint: 'the name of a sysctl, such as net.core.somaxconn', maxLength: 253 }),
    value: text('Value of the parameter.'),
  }), { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'], maxItems: 64 })),
  windowsOptions,
}))
