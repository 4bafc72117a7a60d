import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import * as api from '../dittoserver/api.ts'
import { versionOnCrd } from '../percona/installed-version.ts'
import { alternatives, compareVersions, perconaReleases, releaseFor } from '../percona/releases.ts'
import { find, list, ok, several, warning, wrong, type Diagnosis, type Step } from './examination.ts'
import { deployments, fullName, watchedServers } from './installed.ts'
import type { FoundDeployment } from './found-deployment.ts'

type Server = KubernetesObject & { readonly spec?: { readonly percona?: { readonly enabled?: boolean } } }

const page = 'docs/postgresql.md'
const definitions = { group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions' }
const known = alternatives(perconaReleases.map(({ version }) => version)).replace(' or ', ' and ')

/** The diagnosis for a version of the Percona operator. Pure. */
export function judgeVersion (version: string | undefined): Diagnosis {
  const { release, fits } = releaseFor(version)
  if (version !== undefined && fits) return ok(`version ${version}`)
  const consequence = `the images for ${release.version} are used`
  if (version === undefined) return warning(`its CRD does not contain its version: ${consequence}`, `label the CRD as its release does: ${page}`)
  const [oldest] = perconaReleases
  const isOlder = compareVersions(version, oldest.version) < 0
  const isNewer = perconaReleases.every(row => compareVersions(version, row.version) > 0)
  const fix = isOlder ? 'upgrade the Percona operator' : 'upgrade this operator, or set spec.percona.images'
  const is = isOlder ? 'older than all' : isNewer ? 'newer than all' : 'not one of those'
  return warning(`version ${version} is ${is} that are known (${known}): ${consequence}`, `${fix}: ${page}`)
}

/** Recognises the Percona operator by the name of the Deployment or of an image. Mirrors keep the image name. */
const isPercona = ({ metadata, spec }: FoundDeployment) =>
  [metadata.name, ...(spec?.template?.spec?.containers ?? []).map(({ image = '' }) => image)].some(text => text.includes('percona-postgresql-operator'))

export const perconaOperator: Step = {
  title: 'Percona operator',
  looksAt: 'whether it is installed and runs, if a DittoServer needs PostgreSQL by Percona, and whether its version is known',
  examine: async patient => {
    const asking = (await watchedServers<Server>(patient)).filter(({ spec }) => spec?.percona?.enabled === true).map(fullName)
    if (asking.length === 0) return ok('no DittoServer needs it')
    const definition = await find(patient, definitions, api.percona.crdName)
    const who = `${several(asking)} ${asking.length === 1 ? 'needs' : 'need'} PostgreSQL by Percona`
    if (!definition) return wrong(`${who}, and its operator is not installed`, `install it: ${page}`)
    const found = (await list<FoundDeployment>(patient, deployments)).filter(isPercona)
    if (!found.some(({ status }) => (status?.availableReplicas ?? 0) > 0)) {
      const [one] = found
      return one === undefined
        ? warning(`${who}; its CRD is there, but no Deployment of it was found`, `install it, unless it runs outside this cluster: ${page}`)
        : wrong(`${who}, and no replica of its operator is ready`, `kubectl -n ${one.metadata.namespace ?? ''} describe deployment ${one.metadata.name}`)
    }
    return judgeVersion(versionOnCrd(definition))
  },
}
