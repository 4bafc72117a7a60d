import { certificateSecret, defaultInstallation, name, type Installation } from '../install/installation.ts'
import { each, entries, fields, included, integer, map, optional, structure } from './marks.ts'

const ownLabels = (value: string) => included('own-labels', `(list . ${value})`)

/** The installation that the values describe. Values that add or remove whole parts are in `variants.ts`. */
export const settings: Installation = {
  ...defaultInstallation,
  namespace: '{{ .Release.Namespace }}',
  image: '{{ include "dittofs-operator.image" . }}',
  imagePullPolicy: '{{ .Values.image.pullPolicy }}',
  replicas: integer('.Values.replicaCount'),
  podDisruptionBudget: included('budget'),
  serviceAccount: { create: true, name: `{{ .Values.serviceAccount.name | default "${name}" }}` },
  // The whole map, which is known only in a release.
  serviceAccountAnnotations: structure('(merge (dict) .Values.serviceAccount.annotations .Values.commonAnnotations)') as unknown as Record<string, string>,
  caBundle: optional('.Values.certificates.caBundle'),
  certificateDuration: '{{ .Values.certificates.duration }}',
  certificateRenewBefore: '{{ .Values.certificates.renewBefore }}',
  webhook: {
    timeoutSeconds: integer('.Values.webhook.timeoutSeconds'),
    validatingFailurePolicy: '{{ .Values.webhook.validating.failurePolicy }}',
    mutatingFailurePolicy: '{{ .Values.webhook.mutating.failurePolicy }}',
    namespaceSelector: map('.Values.webhook.namespaceSelector'),
    objectSelector: map('.Values.webhook.objectSelector'),
  },
  ports: { webhook: integer('.Values.webhook.port'), metrics: integer('.Values.healthPort') },
  apiServerPorts: [each('.Values.networkPolicy.apiServerPorts')],
  dnsPorts: [each('.Values.networkPolicy.dnsPorts')],
  serviceMonitorLabels: ownLabels('.Values.monitoring.serviceMonitor.labels'),
  prometheusRuleLabels: ownLabels('.Values.monitoring.prometheusRule.labels'),
  dashboardLabels: ownLabels('.Values.monitoring.dashboard.labels'),
  scrapeInterval: '{{ .Values.monitoring.serviceMonitor.interval }}',
  scrapeTimeout: optional('.Values.monitoring.serviceMonitor.scrapeTimeout'),
  logLevel: '{{ .Values.logLevel }}',
  drainPeriod: integer('.Values.drainPeriodSeconds'),
  gracePeriod: integer('.Values.terminationGracePeriodSeconds'),
  livenessProbe: fields('.Values.livenessProbe'),
  readinessProbe: fields('.Values.readinessProbe'),
  resources: structure('.Values.resources'),
  podSecurityContext: structure('.Values.podSecurityContext'),
  containerSecurityContext: structure('.Values.containerSecurityContext'),
  topologySpreadConstraints: structure('.Values.topologySpreadConstraints'),
  podLabels: included('pod-labels'),
  podAnnotations: structure('.Values.podAnnotations'),
  extraArgs: [entries('.Values.extraArgs')],
  extraEnv: [entries('.Values.extraEnv')],
  extraVolumes: [entries('.Values.extraVolumes')],
  extraVolumeMounts: [entries('.Values.extraVolumeMounts')],
  pod: {
    priorityClassName: optional('.Values.priorityClassName'),
    nodeSelector: structure('.Values.nodeSelector'),
    tolerations: structure('.Values.tolerations'),
    affinity: structure('.Values.affinity'),
    imagePullSecrets: structure('.Values.imagePullSecrets'),
  },
}

const secretName = (preset: string) => `{{ .Values.certificates.secretName | default "${preset}" }}`
export const ofCertManager = { certificates: 'cert-manager', certificateSecret: secretName(certificateSecret) } as const
export const ofFiles = { certificates: 'files', certificateSecret: secretName(`${name}-files`) } as const
export const issuerRef = structure('.Values.certificates.issuerRef')
