import { leases } from '../leader-election/lease.ts'
import { name } from '../manifests/install/installation.ts'
import { version } from '../version.ts'
import { find, ok, unknown, warning, wrong, type Step } from './examination.ts'
import { installed } from './installed.ts'

export const deployment: Step = {
  title: 'Deployment',
  looksAt: 'whether there is one, and how many replicas are ready',
  examine: async patient => {
    const { namespace } = patient
    const found = await installed(patient)
    if (!found) return wrong(`there is no Deployment ${namespace}/${name}`, 'install it (docs/install.md), or give its namespace with -n')
    const { spec, status } = found.deployment
    const [wanted, available] = [spec?.replicas ?? 1, status?.availableReplicas ?? 0]
    const pods = `kubectl -n ${namespace} describe pods -l app.kubernetes.io/name=${name}`
    if (wanted === 0) return wrong('it is scaled to 0 replicas: no review is answered', `kubectl -n ${namespace} scale deployment/${name} --replicas=2`)
    if (available === 0) return wrong(`none of ${wanted} replicas is ready`, `see the step Pods, and: ${pods}`)
    return available < wanted ? warning(`${available} of ${wanted} replicas are ready`, pods) : ok(`${available} of ${wanted} replicas are ready`)
  },
}

/** Matches the tags `v1.2.3` and `1.2.3`. The version is unknown if the image has only a digest or a tag in another format. */
const tagged = /:v?(\d+\.\d+\.\d[-+.\w]*)(@sha256:[0-9a-f]{64})?$/

export const versions: Step = {
  title: 'Version',
  looksAt: 'whether the installed version is that of the command',
  examine: async patient => {
    const found = await installed(patient)
    if (!found) return unknown('there is no Deployment to compare with')
    const tag = tagged.exec(found.image)?.[1]
    if (tag === undefined) return ok(`the name of the image, '${found.image}', does not contain a version`)
    return tag === version
      ? ok(`${version}, the version of this command`)
      : warning(`version ${tag} is installed, and this command has version ${version}: some findings may only be differences between the two`, `use the doctor of version ${tag}, or upgrade: ${found.reapply}`)
  },
}

export const leader: Step = {
  title: 'Leader',
  looksAt: 'whether a replica holds the Lease and renews it',
  examine: async patient => {
    const { namespace } = patient
    const found = await installed(patient)
    if (!found) return unknown('there is no Deployment, so there is no leader')
    if (!found.installation.controller) return ok('this installation does not reconcile')
    if (found.args.includes('--no-leader-elect')) return ok('no leader is elected: --no-leader-elect')
    const lease = await find(patient, leases, name, namespace)
    const { holderIdentity, renewTime } = (lease?.spec ?? {}) as { holderIdentity?: string, renewTime?: string }
    const logs = `kubectl -n ${namespace} logs deployment/${name}`
    if (!holderIdentity) return wrong('no replica reconciles', logs)
    const seconds = Math.round((Date.now() - Date.parse(renewTime ?? '')) / 1000)
    // 30 s is twice the time that a follower waits. This compares the clocks of two machines, which is acceptable only in a diagnosis.
    return seconds > 30 ? wrong(`${holderIdentity} has not renewed the Lease for ${seconds} s`, logs) : ok(`${holderIdentity} reconciles`)
  },
}
