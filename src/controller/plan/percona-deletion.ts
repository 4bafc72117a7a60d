import type { KubernetesObject } from '../../cluster/kubernetes-object.ts'

/**
 * These finalizers make the Percona operator delete volumes and Secrets together with a cluster; otherwise it keeps them. They are set only
 * at the moment of deletion, so that the data is kept if a user deletes the cluster directly. Backups in a bucket are always kept.
 * https://docs.percona.com/percona-operator-for-postgresql/3.1.0/delete.html
 */
const finalizers = ['percona.com/delete-pvc', 'percona.com/delete-ssl']

/** A merge patch for a cluster that will be deleted with its data; undefined if the cluster is already being deleted. Pure. */
export function withItsData ({ metadata }: KubernetesObject): { readonly metadata: object } | undefined {
  if (metadata.deletionTimestamp !== undefined) return undefined
  const { resourceVersion, finalizers: present = [] } = metadata
  return { metadata: { resourceVersion, finalizers: [...new Set([...present, ...finalizers])] } }
}

/** The text of the event for that deletion. */
export const deletedNote = (name: string) => `PostgreSQL cluster ${name} is deleted with its data: percona.deleteWithServer is true`

/** Whether another client deleted the cluster first, so that its data can no longer be deleted with it. */
export const isDeletedWithoutData = ({ metadata: { deletionTimestamp, finalizers: present = [] } }: KubernetesObject): boolean =>
  deletionTimestamp !== undefined && !finalizers.every(finalizer => present.includes(finalizer))

export const dataStaysNote = (name: string) => `PostgreSQL cluster ${name} was already deleted by another client: its volumes and Secrets are kept`
