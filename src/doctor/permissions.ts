import { hasStatus } from '../cluster/api-error.ts'
import { createRequest } from '../cluster/api-requests.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { name, type Installation } from '../manifests/install/installation.ts'
import { manifestsOf } from '../manifests/install/parts.ts'
import type { PolicyRule } from '../manifests/install/rbac.ts'
import { webhookKinds, webhookResource } from '../tls/self/webhook-trust.ts'
import { ok, several, unknown, warning, wrong, type Diagnosis, type Patient, type Step } from './examination.ts'
import { installed } from './installed.ts'

/** One right, in the form of an access review. */
interface Right {
  readonly group: string
  readonly resource: string
  readonly subresource?: string
  readonly verb: string
  readonly name?: string
  readonly namespace?: string
}

/** All rights that the manifests grant to this kind of installation. */
function rightsOf (installation: Installation): Right[] {
  return manifestsOf(installation).flatMap(({ manifest: { kind, metadata, ...rest } }) => {
    if (kind !== 'Role' && kind !== 'ClusterRole') return []
    if (metadata.labels && Object.keys(metadata.labels).some(label => label.includes('aggregate-to'))) return []
    const { rules = [] } = rest as unknown as { rules?: readonly PolicyRule[] }
    const placed = metadata.namespace === undefined ? {} : { namespace: metadata.namespace }
    return rules.flatMap(rule => each(rule).map(right => ({ ...right, ...placed })))
  })
}

const each = ({ apiGroups, resources, resourceNames, verbs }: PolicyRule): Right[] =>
  apiGroups.flatMap(group => resources.flatMap(path => {
    const [resource = '', subresource] = path.split('/')
    return verbs.flatMap(verb => (resourceNames ?? [undefined]).map((named): Right => ({
      group, resource, verb, ...(subresource ? { subresource } : {}), ...(named === undefined ? {} : { name: named }),
    })))
  }))

const post = async <Reply> ({ client, signal }: Patient, group: string, kind: string, spec: object) => {
  const review = { apiVersion: `${group}/v1`, kind, metadata: {}, spec } as unknown as KubernetesObject
  return await client.request({ ...createRequest(`/apis/${group}/v1/${kind.toLowerCase()}s`, review), signal }) as Reply
}

interface Allowed { readonly status?: { readonly allowed?: boolean } }

/** Whether the operator has the right. @throws if the current user may not ask for the rights of other users */
async function isAllowed (patient: Patient, right: Right, account: string): Promise<boolean> {
  const { namespace } = patient
  const spec = {
    user: account,
    groups: ['system:authenticated', 'system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    resourceAttributes: right,
  }
  const { status } = await post<Allowed>(patient, 'authorization.k8s.io', 'SubjectAccessReview', spec)
  return status?.allowed === true
}

const isAllowedMe = async (patient: Patient, right: Right) =>
  (await post<Allowed>(patient, 'authorization.k8s.io', 'SelfSubjectAccessReview', { resourceAttributes: right })).status?.allowed === true

const accountOf = ({ namespace, serviceAccount }: Installation) => `system:serviceaccount:${namespace}:${serviceAccount.name}`

/**
 * The function that checks a right of the operator. Only an administrator may check the rights of another user. In a pod of the operator,
 * the operator checks its own rights. Undefined: the current user may do neither.
 */
async function asker (patient: Patient, account: string): Promise<typeof isAllowed | undefined> {
  try {
    await isAllowed(patient, { group: '', resource: 'secrets', verb: 'get', namespace: patient.namespace }, account)
    return isAllowed
  } catch (error) {
    if (!hasStatus(error, 403)) throw error
  }
  const me = await post<{ status?: { userInfo?: { username?: string } } }>(patient, 'authentication.k8s.io', 'SelfSubjectReview', {})
  return me.status?.userInfo?.username === account ? isAllowedMe : undefined
}

const spell = ({ verb, resource, subresource, group, name: named, namespace }: Right) =>
  `${verb} ${resource}${subresource ? `/${subresource}` : ''}${group ? `.${group}` : ''}${named ? ` '${named}'` : ''}${namespace ? ` in ${namespace}` : ''}`

/** Rights that an installation does not need. An earlier installation may have left them, because `kubectl apply` deletes nothing. */
interface Leftover {
  readonly holds: (installation: Installation) => boolean
  readonly rights: readonly Right[]
  readonly fix: (installation: Installation) => string
}

const leftovers: readonly Leftover[] = [
  {
    holds: ({ watchNamespace }) => watchNamespace !== undefined,
    rights: ['list', 'get'].map(verb => ({ group: '', resource: 'secrets', verb })),
    fix: () => `kubectl delete clusterrolebinding,clusterrole ${name}`,
  },
  {
    holds: ({ certificates }) => certificates !== 'self',
    rights: webhookKinds.map(kind => ({ group: webhookResource(kind).group, resource: webhookResource(kind).resource, verb: 'patch', name })),
    fix: ({ namespace }) =>
      `kubectl delete clusterrolebinding,clusterrole ${name}-certificate; kubectl -n ${namespace} delete rolebinding,role ${name}-certificate`,
  },
]

/** The rights that are granted but not needed, and the commands that remove them. */
async function excess (isGranted: (right: Right) => Promise<boolean>, installation: Installation): Promise<Diagnosis | undefined> {
  const suspects = leftovers.filter(({ holds }) => holds(installation))
  const found = await Promise.all(suspects.map(async ({ rights, fix }) => {
    const granted = await Promise.all(rights.map(isGranted))
    return { fix, kept: rights.filter((_right, index) => granted[index]).map(right => right.name ? spell(right) : `${spell(right)} in all namespaces`) }
  }))
  const kept = found.flatMap(one => one.kept)
  if (kept.length === 0) return undefined
  const fixes = found.filter(one => one.kept.length > 0).map(({ fix }) => fix(installation))
  return warning(`more than is needed: ${several(kept)}`, `${fixes.join('; ')} (see "Narrow" in docs/install.md)`)
}

export const permissions: Step = {
  title: 'Permissions',
  looksAt: 'whether the ServiceAccount has every right that such an installation needs, and none that an earlier one left',
  examine: async patient => {
    const found = await installed(patient)
    if (!found) return unknown('there is no Deployment, so it is not known which permissions are needed')
    const account = accountOf(found.installation)
    const ask = await asker(patient, account)
    if (!ask) return unknown('you have no permission to check the permissions of the operator', 'ask an administrator, or run the doctor in a pod of the operator')
    const rights = rightsOf(found.installation)
    const isGranted = async (right: Right) => await ask(patient, right, account)
    const allowed = await Promise.all(rights.map(isGranted))
    const lacking = rights.filter((_right, index) => allowed[index] !== true)
    if (lacking.length > 0) return wrong(`missing: ${several(lacking.map(spell))}`, found.reapply)
    const more = await excess(isGranted, found.installation)
    if (more) return more
    return ok(`all ${rights.length} that are needed`)
  },
}
