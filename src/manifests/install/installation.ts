import type { SecretAccess } from '../../controller/secret-access.ts'
import { version } from '../../version.ts'
import { defaultWebhookPolicy, type WebhookPolicy } from '../webhooks.ts'

/** A value from the Helm user: `{{ .Values.… }}`. */
export type Expression = `{{ ${string} }}`

export type Certificates = 'self' | 'cert-manager' | 'files'

/** Fields that only the Helm user can set, as `{{ … }}`; kustomize has patches for them. */
export interface HelmSettings {
  readonly extraArgs?: readonly string[]
  readonly extraEnv?: readonly unknown[]
  readonly extraVolumes?: readonly unknown[]
  readonly extraVolumeMounts?: readonly unknown[]
  readonly podAnnotations?: Expression
  readonly podLabels?: Readonly<Record<string, string>>
  readonly serviceMonitorLabels?: Readonly<Record<string, string>>
  readonly prometheusRuleLabels?: Readonly<Record<string, string>>
  readonly scrapeTimeout?: string
  readonly serviceAccountAnnotations?: Readonly<Record<string, string>>
  /** Fields of the pod that are absent unless they are set. */
  readonly pod?: {
    readonly priorityClassName?: string
    readonly nodeSelector?: Expression
    readonly tolerations?: Expression
    readonly affinity?: Expression
    readonly imagePullSecrets?: Expression
  }
}

/** The differences between installations. */
export interface Installation extends HelmSettings {
  readonly namespace: string
  readonly image: string
  readonly imagePullPolicy: string
  readonly replicas: number | Expression
  /** How many replicas a node drain may evict, or must leave running. Undefined: it may evict all. */
  readonly podDisruptionBudget: Readonly<Record<string, unknown>> | undefined
  /** Whether the operator reconciles, or only answers reviews. */
  readonly controller: boolean
  /** The only namespace whose servers the operator may change; absent: all namespaces. */
  readonly watchNamespace?: string
  /** How the reconcile loop reads Secrets. */
  readonly secretAccess: SecretAccess
  readonly serviceAccount: { readonly create: boolean, readonly name: string }
  /** Whether the operator gets the permissions that it needs. */
  readonly rbac: boolean
  /** Roles for users, and whether they are aggregated into the roles of the cluster: `view`, `edit` and `admin`. */
  readonly userRoles: boolean
  readonly aggregateRoles: boolean
  readonly certificates: Certificates
  /** For `files` and `cert-manager`; absent: a default name for each. */
  readonly certificateSecret?: string
  /** In base64, the CA that signed the certificate of `files`. */
  readonly caBundle?: string
  /** For `cert-manager`; absent: the installation creates its own CA. */
  readonly issuerRef?: object | Expression
  /** For `cert-manager`, in the syntax of Go. */
  readonly certificateDuration: string
  readonly certificateRenewBefore: string
  readonly webhook: WebhookPolicy
  /** Whether senders of reviews must present a client certificate; see docs/callers.md. */
  readonly clientCertificates: boolean
  readonly ports: Readonly<Record<'webhook' | 'metrics', number | Expression>>
  readonly hostNetwork: boolean
  readonly networkPolicy: boolean
  /** Ports of the API server: of its Service, and of the endpoints behind it. */
  readonly apiServerPorts: readonly (number | Expression)[]
  readonly dnsPorts: readonly (number | Expression)[]
  readonly monitoring: boolean
  readonly alerts: boolean
  readonly dashboard: boolean
  readonly dashboardLabels: Readonly<Record<string, string>>
  readonly scrapeInterval: string
  readonly logLevel: string
  /** Seconds. */
  readonly drainPeriod: number | Expression
  /** Seconds. */
  readonly gracePeriod: number | Expression
  readonly livenessProbe: Readonly<Record<string, unknown>>
  readonly readinessProbe: Readonly<Record<string, unknown>>
  readonly resources: object | Expression
  readonly podSecurityContext: object | Expression
  readonly containerSecurityContext: object | Expression
  readonly topologySpreadConstraints: readonly object[] | Expression
}

export const name = 'dittofs-operator'
export const certificateSecret = `${name}-tls`
/** Built from this repository and loaded into the cluster; a release writes its registry and digest into the published files. */
export const imageRepository = name
export const imageTag = version

/** Labels of all objects and of the pods. Never `managed-by`: that label marks the objects that the operator creates. */
export const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/component': 'operator', 'app.kubernetes.io/part-of': 'dittofs' }
export const selector = { 'app.kubernetes.io/name': name }

/**
 * Evenly over nodes, and over zones if possible. A node that accepts no pods, because of a taint or a drain, does not count: otherwise
 * three replicas would not fit onto the two remaining nodes.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
 */
export const spread = (hosts: 'ScheduleAnyway' | 'DoNotSchedule') =>
  [['kubernetes.io/hostname', hosts], ['topology.kubernetes.io/zone', 'ScheduleAnyway']].map(([topologyKey, whenUnsatisfiable]) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable,
    nodeTaintsPolicy: 'Honor',
    labelSelector: { matchLabels: selector },
    // Otherwise the pods of the old revision would keep the new ones off their nodes.
    matchLabelKeys: ['pod-template-hash'],
  }))

export const defaultInstallation: Installation = {
  namespace: 'dittofs-system',
  image: `${imageRepository}:${imageTag}`,
  imagePullPolicy: 'IfNotPresent',
  replicas: 2,
  podDisruptionBudget: { maxUnavailable: 1 },
  controller: true,
  secretAccess: 'watch',
  serviceAccount: { create: true, name },
  rbac: true,
  userRoles: true,
  aggregateRoles: true,
  certificates: 'self',
  certificateDuration: '2160h0m0s',
  certificateRenewBefore: '720h0m0s',
  webhook: defaultWebhookPolicy,
  clientCertificates: false,
  ports: { webhook: 9443, metrics: 8081 },
  hostNetwork: false,
  networkPolicy: true,
  apiServerPorts: [443, 6443],
  dnsPorts: [53],
  monitoring: false,
  alerts: true,
  dashboard: true,
  // The Grafana sidecar selects ConfigMaps by this label.
  dashboardLabels: { grafana_dashboard: '1' },
  scrapeInterval: '30s',
  logLevel: 'info',
  drainPeriod: 15,
  // The drain period, the longest admission (30 s), and a reserve.
  gracePeriod: 60,
  // A restart helps only if the process hangs, so the threshold is high.
  livenessProbe: { periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 6 },
  readinessProbe: { periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 },
  resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
  podSecurityContext: { runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532, seccompProfile: { type: 'RuntimeDefault' } },
  containerSecurityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
  topologySpreadConstraints: spread('ScheduleAnyway'),
}

export type ComponentName = 'cert-manager' | 'files' | 'ha' | 'namespaced' | 'least-privilege' | 'monitoring'

export interface Component {
  readonly changes: Partial<Installation>
  /** Another component that it requires and includes. */
  readonly includes?: ComponentName
}

const namespaced = { watchNamespace: 'dittofs' }

/**
 * The components that kustomize can combine, by folder. Two of them cannot be combined if both set the certificate mode, or if one includes
 * the other.
 */
export const components: Readonly<Record<ComponentName, Component>> = {
  'cert-manager': { changes: { certificates: 'cert-manager' } },
  /** The user who installs it provides the Secret and the CA. */
  files: { changes: { certificates: 'files' } },
  ha: { changes: { replicas: 3, topologySpreadConstraints: spread('DoNotSchedule') } },
  namespaced: { changes: namespaced },
  /** The smallest set of permissions with which the operator reconciles. */
  'least-privilege': { changes: { ...namespaced, secretAccess: 'get' }, includes: 'namespaced' },
  monitoring: { changes: { monitoring: true } },
}

export const withComponents = (names: readonly ComponentName[]): Installation =>
  names.reduce<Installation>((installation, name) => ({ ...installation, ...components[name].changes }), defaultInstallation)
