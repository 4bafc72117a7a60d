import { since } from './age.ts'
import { branchesOf, stateOf } from './branches.ts'
import { concernsOf } from './concerns.ts'
import type { Facts } from './facts.ts'
import { stagesOf } from './stages.ts'
import { worst, type ServerTree } from './tree.ts'

/** Everything there is to say about one server. Pure. */
export function serverTree (facts: Facts): ServerTree {
  const { object, server: { metadata: { name, namespace, generation }, status = {} }, now } = facts
  const { conditions = [], observedGeneration = 0, phase = 'Pending', nfsEndpoint } = status
  const branches = branchesOf(facts)
  const concerns = concernsOf(facts, branches)
  const ready = observedGeneration === generation && conditions.some(({ type, status, observedGeneration: of }) =>
    type === 'Ready' && status === 'True' && of === generation)
  return {
    namespace,
    name,
    ready,
    state: worst([
      ready ? 'ok' : 'progress',
      ...concerns.map(({ state }) => state),
      // What no condition says is a matter of time, such as an object that is about to be created.
      ...branches.map(stateOf).filter(state => state === 'wrong'),
    ]),
    phase,
    generation,
    observedGeneration,
    age: since(object.metadata.creationTimestamp, now),
    endpoint: nfsEndpoint,
    concerns,
    stages: stagesOf(facts),
    branches,
    conditions,
  }
}

/** Those with something wrong first, then those in progress; otherwise by name. Pure. */
export const worstFirst = (trees: readonly ServerTree[]): ServerTree[] => trees.toSorted((a, b) => rank(a) - rank(b))

const rank = ({ state }: ServerTree) => ['wrong', 'progress', 'unknown', 'ok'].indexOf(state)

/** The exit code: 1 if a server is not ready, or something about it is wrong. */
export const exitCodeOf = (trees: readonly ServerTree[]): number => trees.every(({ ready, state }) => ready && state !== 'wrong') ? 0 : 1
