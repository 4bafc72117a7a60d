import { managedBy } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { percona } from '../dittoserver/api.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { childNames, selectorLabels } from '../render/names.ts'
import type { Observation } from './status.ts'

// The condition `DatabaseReady` of a PostgreSQL cluster. Pure.

/** These labels identify the PostgreSQL cluster of a server, because it may have no owner reference. */
const identity = (server: string) => ({ ...selectorLabels(server), 'app.kubernetes.io/managed-by': managedBy })

export const isPerconaClusterOf = ({ metadata: { name } }: DittoServer) => ({ metadata: { labels } }: KubernetesObject): boolean =>
  Object.entries(identity(name)).every(([key, value]) => labels?.[key] === value)

const notReady = (reason: string, message: string): Observation => ({ status: 'False', reason, message })

export const notInstalled: Observation =
  notReady('PerconaNotInstalled', `The Percona operator for PostgreSQL is not installed: ${percona.crdName} is not served.`)

export const terminating = (name: string): Observation => notReady('PerconaTerminating', `PostgreSQL cluster ${name} is being deleted.`)

export const versionNotOffered = (why: string): Observation => notReady('PostgresVersionNotOffered', `No PostgreSQL cluster is created: ${why}.`)

/** The cluster may contain the data of this server, so the advice must not risk that data. */
export function notRecognised ({ metadata: { name, namespace } }: DittoServer): Observation {
  const cluster = childNames(name).perconaCluster
  const labels = Object.entries(identity(name)).map(([key, value]) => `${key}=${value}`).join(' ')
  return notReady('PerconaNotRecognised', `${percona.kind} ${cluster} exists, but does not have the labels of this DittoServer. The operator does not change it. ` +
    `If it holds the data of this server: kubectl label --overwrite ${percona.plural} ${cluster} -n ${namespace} ${labels}. ` +
    'If it belongs to something else, give the DittoServer another name.')
}

interface ClusterStatus { readonly state?: string, readonly conditions?: readonly ClusterCondition[] }

interface ClusterCondition {
  readonly type: string
  readonly status: string
  readonly observedGeneration?: number
  readonly message?: string
}

/** `notes`: from PerconaChoice. `left`: fields that another manager owns. */
export function perconaState (cluster: KubernetesObject, notes: readonly string[], left: readonly string[]): Observation {
  const { state = '', conditions = [] } = (cluster.status ?? {}) as ClusterStatus
  const others = [...left.length > 0 ? [`Managed by another field manager and not changed: ${left.join(', ')}.`] : [], ...notes]
  if (state === 'ready') return { status: 'True', reason: 'PerconaReady', message: ['PostgreSQL is ready.', ...others].join(' ') }
  // The Percona operator sets this condition when it needs manual action, and does not remove it afterwards.
  const stopped = conditions.find(({ type, status, observedGeneration }) =>
    type === 'Progressing' && status === 'False' && observedGeneration === cluster.metadata.generation)?.message
  const said = `PostgreSQL cluster ${cluster.metadata.name} is in state '${state || 'unknown'}'.`
  return notReady('PerconaNotReady', [said, ...stopped ? [stopped] : [], ...others].join(' '))
}
