import { kinds, type Kind } from '../../cluster/kinds.ts'
import type { Resource } from '../../cluster/resource-path.ts'
import { secretResource } from '../../cluster/secret.ts'
import { storageClassResource } from '../../cluster/storage-class.ts'
import { leases } from '../../leader-election/lease.ts'
import { webhookKinds, webhookResource } from '../../tls/self/webhook-trust.ts'
import { certificateSecret, labels, name } from './installation.ts'
import { both, hasRights, isClusterWide, isNamespaced, makesCertificates, no, onlyAnswers, readsSecretsByName, reconciles } from './manifest.ts'
import type { Installation } from './installation.ts'
import type { Manifest, Part } from './manifest.ts'

export interface PolicyRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

export interface RoleManifest extends Manifest {
  readonly rules: readonly PolicyRule[]
}

const rule = ({ group, resource }: Pick<Resource, 'group' | 'resource'>, verbs: readonly string[], resourceNames?: readonly string[]): PolicyRule =>
  ({ apiGroups: [group], resources: [resource], ...(resourceNames ? { resourceNames } : {}), verbs })

const subresource = (of: Resource, part: string) => ({ ...of, resource: `${of.resource}/${part}` })

const watching: ReadonlySet<string> = new Set(['list', 'watch'])

/** The permissions of the reconcile loop in the namespaces of its servers. */
const controllerRules = ({ secretAccess }: Installation): PolicyRule[] => [
  ...Object.entries<Kind>(kinds).filter(([, { only }]) => only === undefined).map(([name, kind]) =>
    rule(kind, name === 'Secret' && secretAccess === 'get' ? kind.verbs.filter(verb => !watching.has(verb)) : kind.verbs)),
  rule(subresource(kinds.DittoServer, 'status'), ['patch']),
  // With the admission plugin OwnerReferencesPermissionEnforcement, this is required to set blockOwnerDeletion.
  rule(subresource(kinds.DittoServer, 'finalizers'), ['update']),
  rule({ group: 'events.k8s.io', resource: 'events' }, ['create', 'patch']),
]

/** The additional lookups of the webhook there. */
const webhookRules = (): PolicyRule[] => [rule(secretResource, ['get']), rule(kinds.PerconaPGCluster, ['get'])]

/** Cluster-scoped objects that are read by name: by the webhook once, and by the reconcile loop continuously. */
const namedRules = (verbs: (kind: Kind) => readonly string[]) => (): PolicyRule[] =>
  Object.values<Kind>(kinds).flatMap(kind => kind.only === undefined ? [] : [rule(kind, verbs(kind), [kind.only])])

const readByName = ['get', 'list', 'watch']

/** A resource name cannot restrict `create`, because the API server does not know the name when it authorizes the request. */
const secretRules = [rule(secretResource, ['create']), rule(secretResource, [...readByName, 'update'], [certificateSecret])]
/** Permissions that are already granted cluster-wide are omitted: nearly all for the reconcile loop, and reads for the webhook. */
const secretRulesBesideAll = [rule(secretResource, ['update'], [certificateSecret])]
const secretRulesBesideNames = [rule(secretResource, ['list', 'watch', 'update'], [certificateSecret])]
const secretRulesBesideReading = [
  rule(secretResource, ['create']), rule(secretResource, [...readByName.filter(verb => verb !== 'get'), 'update'], [certificateSecret]),
]
const leaseRules = [rule(leases, ['create']), rule(leases, ['get', 'update'], [name])]

const group = 'rbac.authorization.k8s.io'
const subject = ({ namespace, serviceAccount }: Installation) => ({ kind: 'ServiceAccount', name: serviceAccount.name, namespace })

function pair (kind: 'Role' | 'ClusterRole', called: string, placed: (installation: Installation) => { namespace?: string },
  rules: (installation: Installation) => readonly PolicyRule[]): Part['manifest'][] {
  const head = (of: string, installation: Installation) =>
    ({ apiVersion: `${group}/v1`, kind: of, metadata: { name: called, ...placed(installation), labels } })
  return [
    (installation): RoleManifest => ({ ...head(kind, installation), rules: rules(installation) }),
    (installation): Manifest & { roleRef: object, subjects: object[] } => ({
      ...head(`${kind}Binding`, installation),
      roleRef: { apiGroup: group, kind, name: called },
      subjects: [subject(installation)],
    }),
  ]
}

const file = 'rbac'
const clusterWide = () => ({})
const inOwn = ({ namespace }: Installation) => ({ namespace })
const inWatched = ({ watchNamespace = '' }: Installation) => ({ namespace: watchNamespace })

/**
 * All permissions of the operator. In a namespaced installation, the permissions on servers are granted only in their namespace. Nothing is
 * granted twice, so that tests can show that each rule is needed.
 */
const grants: readonly Part[] = [
  ...pair('ClusterRole', `${name}-storage-classes`, clusterWide, () => [rule(storageClassResource, ['get', 'list', 'watch'])])
    .map(manifest => ({ file, manifest })),
  // Also in a namespaced installation: only the CRD contains the version of the Percona operator.
  ...([[reconciles, namedRules(kind => kind.verbs)], [onlyAnswers, namedRules(() => ['get'])]] as const).flatMap(([when, rules]) =>
    pair('ClusterRole', `${name}-percona-version`, clusterWide, rules).map(manifest => ({ file, manifest, when }))),
  ...([[reconciles, controllerRules], [onlyAnswers, webhookRules]] as const).flatMap(([when, rules]) => [
    ...pair('ClusterRole', name, clusterWide, rules).map(manifest => ({ file, manifest, when: both(isClusterWide, when) })),
    ...pair('Role', name, inWatched, rules).map(manifest => ({ file, manifest, when: both(isNamespaced, when) })),
  ]),
  ...pair('Role', `${name}-leader-election`, inOwn, () => leaseRules).map(manifest => ({ file, manifest, when: reconciles })),
  ...([
    [both(both(isClusterWide, reconciles), no(readsSecretsByName)), secretRulesBesideAll],
    [both(both(isClusterWide, reconciles), readsSecretsByName), secretRulesBesideNames],
    [both(isClusterWide, onlyAnswers), secretRulesBesideReading],
    [isNamespaced, secretRules],
  ] as const).flatMap(([when, rules]) => pair('Role', `${name}-certificate`, inOwn, () => rules)
    .map(manifest => ({ file, manifest, when: both(makesCertificates, when) }))),
  ...pair('ClusterRole', `${name}-certificate`, clusterWide, () =>
    webhookKinds.map(kind => rule(webhookResource(kind), [...readByName, 'patch'], [name])))
    .map(manifest => ({ file, manifest, when: makesCertificates })),
]

export const rbac: readonly Part[] = grants.map(({ when, ...part }) => ({ ...part, when: when ? both(hasRights, when) : hasRights }))
