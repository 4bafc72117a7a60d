import * as api from '../../dittoserver/api.ts'
import { labels } from './installation.ts'
import type { Part } from './manifest.ts'
import type { RoleManifest } from './rbac.ts'

const view = ['get', 'list', 'watch']
const edit = ['create', 'update', 'patch', 'delete', 'deletecollection']

/** Summed up in the cluster's own roles, so that whoever has `edit` in a namespace may edit its servers. */
const userRole = (called: string, aggregatedTo: string, verbs: readonly string[]): Part => ({
  file: 'user-roles',
  manifest: (): RoleManifest => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: `dittoserver-${called}`, labels: { ...labels, [`rbac.authorization.k8s.io/aggregate-to-${aggregatedTo}`]: 'true' } },
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
