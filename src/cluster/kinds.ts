import * as api from '../dittoserver/api.ts'
import type { Resource } from './resource-path.ts'

/** One kind of object that the operator touches. The table gives caches, requests and RBAC. */
export interface Kind extends Resource {
  readonly apiVersion: string
  readonly kind: string
  /** What the reconcile loop may do, and does. */
  readonly verbs: readonly string[]
  /** How it is watched: whole objects, or metadata only. Absent: not at all. */
  readonly watch?: 'object' | 'metadata'
  /** Only objects with this label are watched. */
  readonly labelSelector?: string
}

export const managedBy = 'dittofs-operator'
const owned = `app.kubernetes.io/managed-by=${managedBy}`

const kind = (group: string, version: string, resource: string, name: string, rest: Pick<Kind, 'verbs' | 'watch' | 'labelSelector'>): Kind =>
  ({ group, version, resource, kind: name, apiVersion: group === '' ? version : `${group}/${version}`, ...rest })

export const kinds = {
  DittoServer: kind(api.group, api.version, api.plural, api.kind, { verbs: ['get', 'list', 'watch', 'patch'], watch: 'object' }),
  ConfigMap: kind('', 'v1', 'configmaps', 'ConfigMap', { verbs: ['get', 'list', 'watch', 'create', 'patch'], watch: 'object', labelSelector: owned }),
  Service: kind('', 'v1', 'services', 'Service', { verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'], watch: 'object', labelSelector: owned }),
  StatefulSet: kind('apps', 'v1', 'statefulsets', 'StatefulSet', {
    verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'], watch: 'object', labelSelector: owned,
  }),
  // Of every Secret, since users name theirs as they like; but never its data.
  Secret: kind('', 'v1', 'secrets', 'Secret', { verbs: ['get', 'list', 'watch', 'create', 'patch'], watch: 'metadata' }),
  // The StatefulSet controller gives claims the labels of its selector.
  PersistentVolumeClaim: kind('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim', {
    verbs: ['list', 'watch', 'patch'], watch: 'object', labelSelector: 'app=dittofs-server',
  }),
  PerconaPGCluster: kind(api.percona.group, api.percona.version, api.percona.plural, api.percona.kind, {
    verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'], watch: 'object', labelSelector: owned,
  }),
} as const satisfies Record<string, Kind>

export type KindName = keyof typeof kinds
