import { hasStatus } from '../cluster/api-error.ts'
import { createRequest } from '../cluster/api-requests.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { defaultInstallation, name, type Installation } from '../manifests/install/installation.ts'
import { manifestsOf } from '../manifests/install/parts.ts'
import type { PolicyRule } from '../manifests/install/rbac.ts'
import { installedArguments, valueOf } from './deployment.ts'
import { ill, unclear, well, type Patient, type Step } from './examination.ts'

/** One right, as the API server can be asked for it. */
interface Right {
  readonly group: string
  readonly resource: string
  readonly subresource?: string
  readonly verb: string
  readonly name?: string
  readonly namespace?: string
}

/** Every right that the manifests grant such an installation. */
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

/** What the Deployment says of the installation that it is part of. */
function installationFrom (args: readonly string[], namespace: string): Installation {
  const watchNamespace = valueOf(args, '--watch-namespace')
  return {
    ...defaultInstallation,
    namespace,
    controller: !args.includes('--no-controller'),
    certificates: valueOf(args, '--cert-mode') === 'files' ? 'files' : 'self',
    ...(watchNamespace === undefined ? {} : { watchNamespace }),
  }
}

async function isAllowed ({ client, namespace, signal }: Patient, right: Right): Promise<boolean> {
  const account = `system:serviceaccounts:${namespace}`
  const spec = {
    user: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:authenticated', 'system:serviceaccounts', account],
    resourceAttributes: right,
  }
  const ask = async (kind: string, resource: string, body: object) => {
    const review = { apiVersion: 'authorization.k8s.io/v1', kind, metadata: {}, spec: body } as unknown as KubernetesObject
    const reply = await client.request({ ...createRequest(`/apis/authorization.k8s.io/v1/${resource}`, review), signal })
    return (reply as { status?: { allowed?: boolean } }).status?.allowed === true
  }
  try {
    return await ask('SubjectAccessReview', 'subjectaccessreviews', spec)
  } catch (error) {
    // Only an administrator may ask for another; the operator itself, with its own token, may ask for itself.
    if (!hasStatus(error, 403)) throw error
    return await ask('SelfSubjectAccessReview', 'selfsubjectaccessreviews', { resourceAttributes: right })
  }
}

const spell = ({ verb, resource, subresource, group, name: named, namespace }: Right) =>
  `${verb} ${resource}${subresource ? `/${subresource}` : ''}${group ? `.${group}` : ''}${named ? ` '${named}'` : ''}${namespace ? ` in ${namespace}` : ''}`

const mostNamed = 5

export const permissions: Step = {
  title: 'Permissions',
  examine: async patient => {
    const args = await installedArguments(patient)
    if (args.length === 0) return unclear('without a Deployment it is not known which ones are needed')
    const rights = rightsOf(installationFrom(args, patient.namespace))
    const allowed = await Promise.all(rights.map(async right => await isAllowed(patient, right)))
    const lacking = rights.filter((_right, index) => allowed[index] !== true)
    if (lacking.length === 0) return well(`all ${rights.length} that are needed`)
    const more = lacking.length > mostNamed ? `, and ${lacking.length - mostNamed} more` : ''
    return ill(`lacking: ${lacking.slice(0, mostNamed).map(spell).join(', ')}${more}`, 'apply the same manifests once more: kubectl apply --server-side -k manifests/default')
  },
}
