import { kinds } from '../../cluster/kinds.ts'
import type { Resource } from '../../cluster/resource-path.ts'
import { secretResource } from '../../cluster/secret.ts'
import { storageClassResource } from '../../cluster/storage-class.ts'
import { leases } from '../../leader-election/lease.ts'
import { webhookKinds, webhookResource } from '../../tls/self/webhook-trust.ts'
import { certificateSecret, labels, name } from './installation.ts'
import { both, isClusterWide, isNamespaced, makesCertificates, onlyAnswers, reconciles } from './manifest.ts'
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

/** What the reconcile loop does in the namespaces of its servers. */
const controllerRules = (): PolicyRule[] => [
  ...Object.values(kinds).map(kind => rule(kind, kind.verbs)),
  rule(subresource(kinds.DittoServer, 'status'), ['patch']),
  // Where OwnerReferencesPermissionEnforcement is on, whoever makes a deletion wait needs it.
  rule(subresource(kinds.DittoServer, 'finalizers'), ['update']),
  rule({ group: 'events.k8s.io', resource: 'events' }, ['create']),
]

/** What the webhook alone looks up there. */
const webhookRules = (): PolicyRule[] => [rule(secretResource, ['get'])]

const readByName = ['get', 'list', 'watch']

/** A name cannot restrict `create`: the API server does not know it yet when it asks. */
const secretRules = [rule(secretResource, ['create']), rule(secretResource, [...readByName, 'update'], [certificateSecret])]
/** What is granted for a whole cluster is left out: nearly all to the reconcile loop, reading to the webhook. */
const secretRulesBesideAll = [rule(secretResource, ['update'], [certificateSecret])]
const secretRulesBesideReading = [
  rule(secretResource, ['create']), rule(secretResource, [...readByName.filter(verb => verb !== 'get'), 'update'], [certificateSecret]),
]
const leaseRules = [rule(leases, ['create']), rule(leases, ['get', 'update'], [name])]

const group = 'rbac.authorization.k8s.io'
const subject = ({ namespace }: Installation) => ({ kind: 'ServiceAccount', name, namespace })

function pair (kind: 'Role' | 'ClusterRole', called: string, placed: (installation: Installation) => { namespace?: string },
  rules: () => readonly PolicyRule[]): Part['manifest'][] {
  const head = (of: string, installation: Installation) =>
    ({ apiVersion: `${group}/v1`, kind: of, metadata: { name: called, ...placed(installation), labels } })
  return [
    (installation): RoleManifest => ({ ...head(kind, installation), rules: rules() }),
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
 * All grants of the operator. In a namespaced installation what it may do to servers is granted in their namespace alone.
 * Nothing is granted twice, so that each rule can be shown to be needed.
 */
export const rbac: readonly Part[] = [
  ...pair('ClusterRole', `${name}-storage-classes`, clusterWide, () => [rule(storageClassResource, ['get', 'list', 'watch'])])
    .map(manifest => ({ file, manifest })),
  ...([[reconciles, controllerRules], [onlyAnswers, webhookRules]] as const).flatMap(([when, rules]) => [
    ...pair('ClusterRole', name, clusterWide, rules).map(manifest => ({ file, manifest, when: both(isClusterWide, when) })),
    ...pair('Role', name, inWatched, rules).map(manifest => ({ file, manifest, when: both(isNamespaced, when) })),
  ]),
  ...pair('Role', `${name}-leader-election`, inOwn, () => leaseRules).map(manifest => ({ file, manifest, when: reconciles })),
  ...([
    [both(isClusterWide, reconciles), secretRulesBesideAll],
    [both(isClusterWide, onlyAnswers), secretRulesBesideReading],
    [isNamespaced, secretRules],
  ] as const).flatMap(([when, rules]) => pair('Role', `${name}-certificate`, inOwn, () => rules)
    .map(manifest => ({ file, manifest, when: both(makesCertificates, when) }))),
  ...pair('ClusterRole', `${name}-certificate`, clusterWide, () =>
    webhookKinds.map(kind => rule(webhookResource(kind), [...readByName, 'patch'], [name])))
    .map(manifest => ({ file, manifest, when: makesCertificates })),
]
