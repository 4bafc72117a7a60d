import * as api from '../../dittoserver/api.ts'
import { labels } from './installation.ts'
import { hasUserRoles, type Part } from './manifest.ts'
import type { RoleManifest } from './rbac.ts'

const view = ['get', 'list', 'watch']
const edit = ['create', 'update', 'patch', 'delete', 'deletecollection']

/** Aggregated into the roles of the cluster, so that a user with `edit` in a namespace may edit its servers. */
const userRole = (called: string, aggregatedTo: string, verbs: readonly string[]): Part => ({
  file: 'user-roles',
  when: hasUserRoles,
  manifest: ({ aggregateRoles }): RoleManifest => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: `dittoserver-${called}`, labels: { ...labels, ...(aggregateRoles ? { [`rbac.authorization.k8s.io/aggregate-to-${aggregatedTo}`]: 'true' } : {}) } },
    rules: [
      { apiGroups: [api.group], resources: [api.plural], verbs },
      { apiGroups: [api.group], resources: [`${api.plural}/status`], verbs: ['get'] },
    ],
  }),
})

export const userRoles: readonly Part[] = [
  userRole('admin', 'admin', ['*']),
  userRole('editor', 'edit', [...view, ...edit]),
  userRole('viewer', 'view', view),
]
