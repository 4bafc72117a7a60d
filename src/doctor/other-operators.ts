import { list, ok, several, wrong, type Step } from './examination.ts'
import { deployments, fullName, installed, valueOf } from './installed.ts'
import type { FoundDeployment } from './found-deployment.ts'

/** Matches the Go operator and installations of this operator in any namespace. */
const isOperator = ({ spec }: FoundDeployment) =>
  (spec?.template?.spec?.containers ?? []).some(({ image = '' }) => /(^|\/)dittofs-operator([:@]|$)/.test(image))

export const otherOperators: Step = {
  title: 'Other operators',
  looksAt: 'whether another operator manages the same DittoServers',
  examine: async patient => {
    const own = await installed(patient)
    const watched = own?.installation.watchNamespace
    const all = await list<FoundDeployment>(patient, deployments)
    const isAnother = ({ metadata }: FoundDeployment) => metadata.uid !== own?.deployment.metadata.uid
    const others = all.filter(found => isOperator(found) && isAnother(found) && (found.spec?.replicas ?? 1) > 0)
    const overlapping = others.filter(({ spec }) => {
      const theirs = valueOf(spec?.template?.spec?.containers?.[0]?.args ?? [], '--watch-namespace')
      return watched === undefined || theirs === undefined || theirs === watched
    })
    if (overlapping.length === 0) return ok('there is no other operator')
    const names = overlapping.map(fullName)
    return wrong(`${several(names)} may manage the same DittoServers: two operators overwrite each other's changes`, 'scale the other one to 0: docs/migrate.md')
  },
}
