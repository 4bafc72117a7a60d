import { modelKinds } from './model/kinds.ts'
import type { ModelKind } from './model/kind.ts'
import type { Tree } from './model/tree.ts'
import type { ServerName } from './servers.ts'

// The objects of a server, and the actions of others on them.

export interface Child { readonly kind: ModelKind, readonly name: (server: ServerName) => string }

const { configMap, secret, service, statefulSet, perconaCluster, pod } = modelKinds

export const children: readonly Child[] = [
  { kind: configMap, name: server => `${server}-config` },
  { kind: secret, name: server => `${server}-jwt-secret` },
  { kind: secret, name: server => `${server}-postgres-env` },
  { kind: service, name: server => `${server}-headless` },
  { kind: service, name: server => `${server}-file` },
  { kind: service, name: server => `${server}-api` },
  { kind: service, name: server => `${server}-metrics` },
  { kind: statefulSet, name: server => server },
  { kind: perconaCluster, name: server => `${server}-postgres` },
  { kind: pod, name: server => `${server}-0` },
]

interface ChildEdit {
  readonly kind: ModelKind
  readonly patch: Tree
  /** With forced server-side apply, so the fields belong to that manager. */
  readonly applied?: true
  /** `kubectl rollout restart`: it is for the pod, which outlives its StatefulSet. */
  readonly isRestart?: true
  /** What follows depends on whether the server has started before, so it is done afterwards. */
  readonly onceStarted?: true
}

/** Merge patches that users and other programs apply to objects of the operator. */
export const childEdits: readonly ChildEdit[] = [
  { kind: configMap, patch: { data: { 'config.yaml': 'mine' } } },
  { kind: configMap, patch: { data: { more: 'mine' } } },
  { kind: configMap, patch: { metadata: { labels: { 'app.kubernetes.io/managed-by': 'me' } } } },
  { kind: configMap, patch: { metadata: { labels: { mine: 'yes' }, annotations: { 'example.com/note': 'x' } } } },
  { kind: secret, patch: { data: { more: 'eA==' } } },
  { kind: service, patch: { spec: { ports: [{ name: 'other', port: 77, protocol: 'TCP' }] } } },
  { kind: service, patch: { spec: { selector: { app: 'other' } } } },
  { kind: service, patch: { metadata: { annotations: { 'dittofs.dittofs.com/applied': 'x' } } } },
  { kind: service, patch: { metadata: { annotations: { 'cloud.example.com/id': '1' } }, spec: { externalIPs: ['192.0.2.7'] } } },
  { kind: statefulSet, patch: { spec: { replicas: 0 } } },
  { kind: statefulSet, patch: { spec: { template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': 'now' } } } } }, isRestart: true },
  { kind: statefulSet, patch: { spec: { template: { spec: { terminationGracePeriodSeconds: 1 } } } } },
  { kind: statefulSet, patch: { metadata: { annotations: { 'dittofs.dittofs.com/applied': 'x' } } } },
  { kind: perconaCluster, patch: { spec: { pause: true } } },
  { kind: perconaCluster, patch: { metadata: { labels: { instance: 'other' } } }, onceStarted: true },
  { kind: perconaCluster, patch: { metadata: { annotations: { 'dittofs.dittofs.com/applied': 'x' } } }, applied: true },
  { kind: perconaCluster, patch: { spec: { backups: { enabled: false } } }, applied: true },
  { kind: perconaCluster, patch: { spec: { postgresVersion: 17 } }, applied: true },
  { kind: statefulSet, patch: { spec: { template: { spec: { terminationGracePeriodSeconds: 7 } } } }, applied: true },
]
