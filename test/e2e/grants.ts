import type { Question } from '../control-plane/authorization-log.ts'

export interface PolicyRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

export interface InstalledObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string, readonly namespace?: string, readonly labels?: Readonly<Record<string, string>> }
  readonly rules?: readonly PolicyRule[]
  readonly webhooks?: readonly { readonly clientConfig: { readonly caBundle?: string } }[]
  readonly roleRef?: { readonly kind: string, readonly name: string }
  readonly subjects?: readonly { readonly kind: string, readonly name: string, readonly namespace?: string }[]
}

/** The smallest unit that can be taken out of a role: one verb on one resource. */
export interface Grant {
  readonly role: string
  /** Empty: in all namespaces, and on cluster-scoped objects. */
  readonly namespace: string
  readonly group: string
  readonly resource: string
  readonly names: readonly string[]
  readonly verb: string
}

/** The permissions that the bindings among these objects grant to a ServiceAccount. */
export function grantsOf (objects: readonly InstalledObject[], serviceAccount: Readonly<Record<'namespace' | 'name', string>>): Grant[] {
  const bindings = objects.filter(({ subjects = [] }) => subjects.some(({ kind, namespace, name }) =>
    kind === 'ServiceAccount' && namespace === serviceAccount.namespace && name === serviceAccount.name))
  return bindings.flatMap(({ kind, roleRef, metadata: { namespace } }) => {
    const place = kind === 'ClusterRoleBinding' ? '' : namespace ?? ''
    const role = objects.find(({ kind, metadata }) => kind === roleRef?.kind && metadata.name === roleRef.name &&
      (kind === 'ClusterRole' || metadata.namespace === place))
    if (!role) throw new Error(`no ${roleRef?.kind} ${roleRef?.name}`)
    return (role.rules ?? []).flatMap(({ apiGroups, resources, verbs, resourceNames = [] }) =>
      apiGroups.flatMap(group => resources.flatMap(resource => verbs.map((verb): Grant =>
        ({ role: `${role.kind} ${role.metadata.name}`, namespace: place, group, resource, names: resourceNames, verb })))))
  })
}

/** https://kubernetes.io/docs/reference/access-authn-authz/rbac/ : rules only add up. */
export const allows = (grant: Grant, question: Question): boolean =>
  (grant.namespace === '' || grant.namespace === question.namespace) &&
  grant.verb === question.verb && grant.group === question.group && grant.resource === question.resource &&
  (grant.names.length === 0 || grant.names.includes(question.name))
