import type { KindName } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { perconaState } from '../controller/percona-state.ts'
import { isOwned } from '../controller/plan/ownership.ts'
import { readStatefulSet } from '../controller/status.ts'
import type { Claim } from '../render/claim.ts'
import { configurationObjects } from '../render/index.ts'
import { childNames } from '../render/names.ts'
import { secretUses } from '../render/secret-uses.ts'
import { claimName, claimNames, claimTemplates } from '../render/volumes.ts'
import { since } from './age.ts'
import { claimBranch } from './claim-branch.ts'
import type { Facts } from './facts.ts'
import { podBranch } from './pod-branch.ts'
import { serviceBranch } from './service-branch.ts'
import { worst, type Branch, type State } from './tree.ts'

// What there is to see of each object of a server. Pure.

type Told = Omit<Branch, 'kind' | 'name'>

/** The objects of a server, as they depend on one another. */
export function branchesOf (facts: Facts): Branch[] {
  const { server, server: { metadata: { name }, spec } } = facts
  const children = childNames(name)
  const set = branch(facts, 'StatefulSet', children.statefulSet, object => statefulSet(facts, object))
  return [
    { ...set, branches: [podBranch(facts), ...claims(facts)] },
    ...configurationObjects(server).flatMap(({ kind, name, object }) =>
      object === undefined ? [] : [branch(facts, kind, name, found => kind === 'Service' ? serviceBranch(found) : plain(facts, found))]),
    ...secretNames(facts).map(secret => branch(facts, 'Secret', secret, object => plain(facts, object))),
    ...spec.percona.enabled ? [branch(facts, 'PerconaPGCluster', children.perconaCluster, database)] : [],
  ]
}

/** An object that a server should have. Its absence is judged by the conditions: the operator may be about to create it. */
export function branch (facts: Facts, kind: KindName, name: string, tell: (object: KubernetesObject) => Told): Branch {
  const found = facts.find(kind, name)
  switch (found.state) {
    case 'present': return { kind, name, ...tell(found.object) }
    case 'unknown': return { kind, name, state: 'unknown', detail: found.reason }
    case 'absent':
    case 'unlisted': return { kind, name, state: 'progress', detail: 'does not exist' }
  }
}

const plain = ({ now }: Facts, { metadata }: KubernetesObject): Told => ({ state: 'ok', detail: since(metadata.creationTimestamp, now) })

function statefulSet (facts: Facts, object: KubernetesObject): Told {
  const { server } = facts
  if (!isOwned(server, object)) return { state: 'wrong', detail: 'belongs to something else' }
  const { readyReplicas, currentRevision, updateRevision } = readStatefulSet(object)
  const wanted = server.spec.replicas
  const isUpdating = currentRevision !== updateRevision
  const being = object.metadata.deletionTimestamp === undefined ? isUpdating ? ', the pod is being replaced' : '' : ', being replaced; the pod keeps running'
  return {
    state: readyReplicas === wanted && being === '' ? 'ok' : 'progress',
    detail: `${readyReplicas} of ${wanted} ready${being}`,
    facts: { readyReplicas, replicas: wanted },
  }
}

/** The claims of the spec, and those of earlier specs that still exist. */
function claims (facts: Facts): Branch[] {
  const { server, find } = facts
  const wanted = claimTemplates(server).map(({ metadata }) => claimName(metadata.name, server.metadata.name))
  const left = claimNames(server.metadata.name).filter(name => !wanted.includes(name) && find('PersistentVolumeClaim', name).state === 'present')
  return [...wanted, ...left].map(name => branch(facts, 'PersistentVolumeClaim', name, object => claimBranch(object as unknown as Claim)))
}

interface PerconaStatus { readonly state?: string, readonly postgres?: { readonly ready?: number, readonly size?: number } }

function database (object: KubernetesObject): Told {
  const { state = 'unknown', postgres } = (object.status ?? {}) as PerconaStatus
  const isReady = perconaState(object, [], []).status === 'True'
  const counted = postgres?.size === undefined ? '' : `, ${postgres.ready ?? 0} of ${postgres.size} instances ready`
  return { state: isReady ? 'ok' : 'progress', detail: `${state}${counted}`, facts: { state, ready: postgres?.ready ?? 0, size: postgres?.size ?? 0 } }
}

/** The Secrets that the pod reads, and the one with the parts of a connection, if it exists. */
function secretNames ({ server, find }: Facts): string[] {
  const { postgresEnvSecret } = childNames(server.metadata.name)
  const split = find('Secret', postgresEnvSecret).state === 'present' ? [postgresEnvSecret] : []
  return [...new Set([...secretUses(server).map(({ secret }) => secret), ...split])]
}

/** The worst state of a branch and of everything below it. */
export const stateOf = ({ state, branches = [] }: Branch): State => worst([state, ...branches.map(stateOf)])
