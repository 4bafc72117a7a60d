import * as api from '../dittoserver/api.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { managedBy } from '../cluster/kinds.ts'

/** Names of all objects of a server called `name`. */
export const childNames = (name: string) => ({
  configMap: `${name}-config`,
  jwtSecret: `${name}-jwt-secret`,
  postgresEnvSecret: `${name}-postgres-env`,
  headlessService: `${name}-headless`,
  fileService: `${name}-file`,
  apiService: `${name}-api`,
  metricsService: `${name}-metrics`,
  statefulSet: name,
  perconaCluster: `${name}-postgres`,
  /** Created by the Percona operator, for the user `dittofs`. */
  perconaUserSecret: `${name}-postgres-pguser-dittofs`,
})

/** The name that the StatefulSet controller gives to the only pod. */
export const podName = (name: string) => `${childNames(name).statefulSet}-0`

/** The labels that select the pod. They can never change: the selector of a StatefulSet is immutable. */
export const selectorLabels = (name: string) => ({ app: 'dittofs-server', instance: name })

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/, and the labels that select. */
export const labels = (name: string) => ({
  ...selectorLabels(name),
  'app.kubernetes.io/name': 'dittofs-server',
  'app.kubernetes.io/instance': name,
  'app.kubernetes.io/managed-by': managedBy,
})

/** The owner reference: an object with it is garbage-collected when the server is deleted. */
export const ownerReference = ({ metadata: { name, uid } }: DittoServer) => ({
  apiVersion: api.apiVersion, kind: api.kind, name, uid, controller: true, blockOwnerDeletion: true,
})

/** Metadata of a child. */
export const childMetadata = (server: DittoServer, name: string) => ({
  name, namespace: server.metadata.namespace, labels: labels(server.metadata.name), ownerReferences: [ownerReference(server)],
})
