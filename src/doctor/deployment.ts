import { leases } from '../leader-election/lease.ts'
import { name } from '../manifests/install/installation.ts'
import { find, ill, unclear, well, type Patient, type Step } from './examination.ts'

const resource = { group: 'apps', version: 'v1', resource: 'deployments' }

interface Found {
  spec?: { replicas?: number, template?: { spec?: { containers?: { args?: string[] }[] } } }
  status?: { availableReplicas?: number }
}

const deploymentOf = async (patient: Patient) => await find(patient, resource, name, patient.namespace) as Found | undefined

export const deployment: Step = {
  title: 'Deployment',
  examine: async patient => {
    const { namespace } = patient
    const found = await deploymentOf(patient)
    if (!found) return ill(`there is no Deployment ${namespace}/${name}`, 'kubectl apply --server-side -k manifests/default')
    const [wanted, available] = [found.spec?.replicas ?? 1, found.status?.availableReplicas ?? 0]
    if (available === 0) return ill(`none of ${wanted} replicas is ready`, `kubectl -n ${namespace} logs deployment/${name}`)
    return available < wanted
      ? unclear(`${available} of ${wanted} replicas are ready`, `kubectl -n ${namespace} describe pods -l app.kubernetes.io/name=${name}`)
      : well(`${available} of ${wanted} replicas are ready`)
  },
}

export const leader: Step = {
  title: 'Leader',
  examine: async patient => {
    const { namespace } = patient
    if ((await installedArguments(patient)).includes('--no-controller')) return well('this installation does not reconcile')
    const lease = await find(patient, leases, name, namespace)
    const { holderIdentity, renewTime } = (lease?.spec ?? {}) as { holderIdentity?: string, renewTime?: string }
    const logs = `kubectl -n ${namespace} logs deployment/${name}`
    if (!holderIdentity) return ill('no replica reconciles', logs)
    const seconds = Math.round((Date.now() - Date.parse(renewTime ?? '')) / 1000)
    // Twice what a follower waits; the clocks of two machines are compared here, which only a diagnosis may do.
    return seconds > 30 ? ill(`${holderIdentity} has not been heard of for ${seconds} s`, logs) : well(`${holderIdentity} reconciles`)
  },
}

/** Value of one of these arguments, which stand there as `--flag=value`. */
export const valueOf = (args: readonly string[], flag: string): string | undefined =>
  args.find(arg => arg.startsWith(`${flag}=`))?.slice(flag.length + 1)

/** Arguments of the container; none where there is no Deployment. */
export const installedArguments = async (patient: Patient): Promise<readonly string[]> =>
  (await deploymentOf(patient))?.spec?.template?.spec?.containers?.[0]?.args ?? []
