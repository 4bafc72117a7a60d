import { version } from '../../version.ts'

/** A value that whoever installs with Helm gives: `{{ .Values.… }}`. */
export type Expression = `{{ ${string} }}`

export type Certificates = 'self' | 'cert-manager' | 'files'

/** What may differ between two installations. */
export interface Installation {
  readonly namespace: string
  readonly image: string
  readonly replicas: number | Expression
  /** Replicas that a drain of nodes leaves. */
  readonly minAvailable: number | Expression
  /** Whether it reconciles, and does not only answer reviews. */
  readonly controller: boolean
  /** The one namespace whose servers it may touch; absent: all. */
  readonly watchNamespace?: string
  readonly certificates: Certificates
  /** In base64, what signed the certificate of `files`. */
  readonly caBundle?: string
  readonly networkPolicy: boolean
  readonly monitoring: boolean
  readonly logLevel: string
  readonly resources: object | Expression
  readonly topologySpreadConstraints: readonly object[] | Expression
  readonly extraArgs?: readonly string[]
  /** Fields of the pod that are absent unless given. */
  readonly pod?: {
    readonly priorityClassName?: string
    readonly nodeSelector?: Expression
    readonly tolerations?: Expression
    readonly affinity?: Expression
    readonly imagePullSecrets?: Expression
  }
}

export const name = 'dittofs-operator'
export const certificateSecret = `${name}-tls`
export const imageRepository = 'marmos91c/dittofs-operator'
export const imageTag = `v${version}`

/** Of every object, and of the pods. Never `managed-by`: that marks what the operator makes. */
export const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': 'dittofs' }
export const selector = { 'app.kubernetes.io/name': name }

/** Whether pods may share a node, or a zone, when there is no other. */
export const spread = (hosts: 'ScheduleAnyway' | 'DoNotSchedule') =>
  [['kubernetes.io/hostname', hosts], ['topology.kubernetes.io/zone', 'ScheduleAnyway']].map(([topologyKey, whenUnsatisfiable]) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable,
    labelSelector: { matchLabels: selector },
    // Or the pods of the old revision would keep the new ones off their nodes.
    matchLabelKeys: ['pod-template-hash'],
  }))

export const defaultInstallation: Installation = {
  namespace: 'dittofs-system',
  image: `${imageRepository}:${imageTag}`,
  replicas: 2,
  minAvailable: 1,
  controller: true,
  certificates: 'self',
  networkPolicy: true,
  monitoring: false,
  logLevel: 'info',
  resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
  topologySpreadConstraints: spread('ScheduleAnyway'),
}

export const haInstallation: Installation = {
  ...defaultInstallation,
  replicas: 3,
  minAvailable: 2,
  topologySpreadConstraints: spread('DoNotSchedule'),
}

export const certManagerInstallation: Installation = { ...defaultInstallation, certificates: 'cert-manager' }

/** The Secret and the authority are to be given by whoever installs it. */
export const filesInstallation: Installation = { ...defaultInstallation, certificates: 'files' }

export const namespacedInstallation: Installation = { ...defaultInstallation, watchNamespace: 'dittofs' }
