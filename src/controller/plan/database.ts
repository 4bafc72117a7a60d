import type { KubernetesObject } from '../../cluster/kubernetes-object.ts'
import { childNames } from '../../render/names.ts'
import { perconaCluster } from '../../render/percona-cluster.ts'
import { appliedDigest, withDigest } from '../applied-digest.ts'
import { leaveToOthers, managersToAbsorb } from '../field-managers.ts'
import { known, type Observed } from '../observed.ts'
import type { Observation } from '../status.ts'
import { notInstalled, notRecognised, perconaState, terminating, versionNotOffered } from '../percona-state.ts'
import type { Step } from '../step.ts'
import { contains } from './contains.ts'
import { keepData } from './database-data.ts'
import { inputsOf } from './inputs.ts'
import { isOurDatabase } from './ownership.ts'
import { nothing, type Part } from './part.ts'
import { unknownObject } from './problem.ts'

/** The PostgreSQL cluster. Each field is applied, but no field of another manager is taken over. */
export function database (observed: Observed): Part {
  const { server, perconaServed } = observed
  if (!server.spec.percona.enabled) return nothing
  if (!perconaServed) return says(notInstalled)
  const name = childNames(server.metadata.name).perconaCluster
  const inputs = inputsOf(observed)
  const found = known(observed, 'PerconaPGCluster', name)
  if (found.state === 'unknown') return unknownObject(`PostgreSQL cluster ${name} cannot be read: ${found.reason}`)
  if (!inputs?.percona) return unknownObject('a Secret cannot be read')
  const rendered = perconaCluster(server, inputs)
  if (found.state !== 'present') {
    const { impossible, notes } = inputs.percona
    if (impossible) return says(versionNotOffered(impossible))
    return { ...says(perconaState(rendered, notes, [])), steps: [{ do: 'create', kind: 'PerconaPGCluster', name, object: withDigest(rendered) }] }
  }
  if (found.object.metadata.deletionTimestamp !== undefined) return says(terminating(name))
  if (!isOurDatabase(server, found.object)) return says(notRecognised(server))
  const { object, kept } = keepData(rendered, found.object)
  const { steps, left } = keepInLine(object, found.object)
  const notes = kept.length > 0 ? [`Different from the spec, and not changed to protect the data: ${kept.join(', ')}.`] : []
  return { ...says(perconaState(found.object, [...notes, ...inputs.percona.notes], left)), steps }
}

const says = (observation: Observation): Part => ({ condition: 'DatabaseReady', says: () => observation, steps: [] })

function keepInLine (rendered: KubernetesObject, current: KubernetesObject): { steps: readonly Step[], left: readonly string[] } {
  const { object, left } = leaveToOthers(rendered, current)
  const wanted = withDigest(object)
  if (appliedDigest(current) === appliedDigest(wanted) && contains(wanted, current)) return { steps: [], left }
  const { name, uid = '', resourceVersion = '' } = current.metadata
  // Conditional on this exact version, so that no field is taken from a manager that has set it in the meantime.
  return { steps: [{ do: 'apply', kind: 'PerconaPGCluster', name, object: wanted, uid, resourceVersion, absorb: managersToAbsorb(current) }], left }
}

/** Whether a server may be started for the first time. */
export function isDatabaseReady (observed: Observed): boolean {
  const { condition, says, stop } = database(observed)
  return stop === undefined && (condition === undefined || says?.([])?.status === 'True')
}
