import type { KubernetesObject } from '../../cluster/kubernetes-object.ts'
import type { Claim } from '../../render/claim.ts'
import { templatesOf, type RenderInputs } from '../../render/inputs.ts'
import { podName } from '../../render/names.ts'
import { statefulSet as rendered } from '../../render/stateful-set.ts'
import { claimName, claimNames, claimTemplates } from '../../render/volumes.ts'
import { quote } from '../../dittoserver/quote.ts'
import { known, present, type Observed } from '../observed.ts'
import type { Observation } from '../status.ts'
import type { Step, StepResult } from '../step.ts'
import { isDatabaseReady } from './database.ts'
import { asFarAsMutable, immutableDifferences } from './immutable-fields.ts'
import { inputsOf } from './inputs.ts'
import { isOwned } from './ownership.ts'
import { nothing, type Part } from './part.ts'
import { foreignObject, unknownObject } from './problem.ts'
import { replaceStatefulSet } from './replacement.ts'
import { settle } from './settle.ts'
import { planGrowth, storageObservation, type GrowthPlan } from './storage-growth.ts'

/**
 * The StatefulSet and its claims. First the claims grow. Then the StatefulSet is updated, or recreated around its pod if an update cannot
 * change a field.
 */
export function statefulSet (observed: Observed): Part {
  const { server } = observed
  const { name } = server.metadata
  const found = known(observed, 'StatefulSet', name)
  const inputs = inputsOf(observed)
  if (found.state === 'unknown') return unknownObject(`StatefulSet ${name} cannot be read: ${found.reason}`)
  if (!inputs) return unknownObject('a Secret cannot be read')
  if (found.state !== 'present') return create(observed, inputs, found.state === 'absent')
  return isOwned(server, found.object) ? toward(observed, inputs, found.object) : foreignObject({ kind: 'StatefulSet', name })
}

const render = ({ server }: Observed, inputs: RenderInputs) => rendered(server, inputs) as unknown as KubernetesObject

/** For the first time, or again around existing claims. */
function create (observed: Observed, inputs: RenderInputs, isAbsent: boolean): Part {
  const { name } = observed.server.metadata
  const templates = claimTemplates(observed.server)
  const growth = planGrowth(templates, templates, template => claim(observed, template))
  const doubts = growth.patches.length > 0 ? doubtsAbout(observed) : nothing
  if (doubts !== nothing) return doubts
  if (mayStart(observed)) return { ...storage(observed, growth), steps: [...growth.patches.map(grow), ...settle(observed, 'StatefulSet', render(observed, inputs)).steps] }
  // A StatefulSet from another operator does not have our label.
  return { condition: 'StorageReady', says: () => waiting, steps: [], asks: isAbsent ? [] : [{ kind: 'StatefulSet', name }] }
}

function toward (observed: Observed, inputs: RenderInputs, current: KubernetesObject): Part {
  const templates = claimTemplates(observed.server)
  const wanted = render(observed, inputs)
  const growth = planGrowth(templates, templatesOf(current) ?? templates, template => claim(observed, template))
  const isReplaced = isOutdated(current, wanted, growth)
  const doubts = isReplaced || growth.patches.length > 0 ? doubtsAbout(observed) : nothing
  if (doubts !== nothing) return doubts
  // It is being deleted without its pod; the watch shows when it is deleted.
  if (current.metadata.deletionTimestamp !== undefined) return { ...storage(observed, growth), steps: [] }
  const grown = growth.patches.map(grow)
  // Never delete a StatefulSet that could not be recreated at once.
  if (isReplaced && grown.length === 0 && mayStart(observed)) {
    const { existingTemplates: _, ...afresh } = inputs
    return { ...storage(observed, growth), steps: replaceStatefulSet(observed, render(observed, afresh), current) }
  }
  const { steps } = settle(observed, 'StatefulSet', asFarAsMutable(current, wanted))
  return { ...storage(observed, growth), steps: [...grown, ...steps.map(step => ofThisVersion(step, inputs, current))] }
}

/** What is sent back must be what is there now: an older time of a restart would undo one that was asked for since. */
const ofThisVersion = (step: Step, { restartedAt }: RenderInputs, { metadata: { resourceVersion = '' } }: KubernetesObject): Step =>
  step.do === 'apply' && restartedAt !== undefined ? { ...step, resourceVersion } : step

const storage = (observed: Observed, growth: GrowthPlan): Pick<Part, 'condition' | 'says'> =>
  ({ condition: 'StorageReady', says: results => withoutClass(observed) ?? storageObservation(growth, refusalIn(results)) })

/** Admission refuses such a server. This one was stored while the webhook was unavailable, or its StorageClass was deleted later. */
const withoutClass = ({ missingClass }: Observed): Observation | undefined => missingClass === undefined
  ? undefined
  : { status: 'False', reason: 'StorageClassMissing', message: `StorageClass ${quote(missingClass)} does not exist: volumes stay Pending until it is created.` }

/** A field that an update cannot change is set by a new StatefulSet around the existing pod and claims. */
export const isOutdated = (current: KubernetesObject, wanted: KubernetesObject, { replaceStatefulSet, drift }: GrowthPlan): boolean =>
  replaceStatefulSet || (drift.length === 0 && immutableDifferences(current, wanted).length > 0)

const grow = ({ claim: name, size }: { claim: string, size: string }): Step => ({
  do: 'patch', kind: 'PersistentVolumeClaim', name, patch: { spec: { resources: { requests: { storage: size } } } }, mayBeRefused: true,
})

const waiting: Observation = { status: 'Unknown', reason: 'Pending', message: 'The volumes are created when the database is ready.' }
const claim = (observed: Observed, template: string) =>
  present(observed, 'PersistentVolumeClaim', claimName(template, observed.server.metadata.name)) as unknown as Claim | undefined

/** Claims may exist without our label. They are read by name before their absence is assumed. */
function doubtsAbout (observed: Observed): Part {
  const claims = claimNames(observed.server.metadata.name).map(name => ({ name, found: known(observed, 'PersistentVolumeClaim', name) }))
  const unlisted = claims.filter(({ found }) => found.state === 'unlisted')
  if (unlisted.length > 0) return { steps: [], asks: unlisted.map(({ name }) => ({ kind: 'PersistentVolumeClaim', name })) }
  for (const { name, found } of claims) if (found.state === 'unknown') return unknownObject(`claim ${name} cannot be read: ${found.reason}`)
  return nothing
}

/** A database that is not ready delays only the first start of a server: a server that has a volume or a pod has run before. */
function mayStart (observed: Observed): boolean {
  const { name } = observed.server.metadata
  return isDatabaseReady(observed) || present(observed, 'Pod', podName(name)) !== undefined ||
    claimNames(name).some(each => present(observed, 'PersistentVolumeClaim', each) !== undefined)
}

const refusalIn = (results: readonly StepResult[]): string | undefined => results.flatMap(result =>
  result.outcome === 'refused' && result.step.kind === 'PersistentVolumeClaim' ? [result.message] : [])[0]
