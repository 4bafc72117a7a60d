import { secretAccesses } from '../../controller/secret-access.ts'
import { logLevels } from '../../log.ts'
import { certificateSecret, defaultInstallation, imageRepository, name } from '../install/installation.ts'
import { listed, presets, schemaOf, value, type Values } from './value.ts'

const text = { type: 'string' }
const named = { type: 'string', minLength: 1 }
const flag = { type: 'boolean' }
const object = { type: 'object' }
const strings = { type: 'object', additionalProperties: { type: 'string' } }
const objects = { type: 'array', items: { type: 'object' } }
const objectsWithNames = { type: 'array', items: { type: 'object', required: ['name'], properties: { name: named } } }
const whole = (minimum: number, maximum = 2 ** 31 - 1) => ({ type: 'integer', minimum, maximum })
const port = whole(1, 65_535)
const ports = { type: 'array', items: port, minItems: 1 }
/** A number or percentage of pods; empty: not set. */
const pods = { anyOf: [whole(1), { type: 'string', pattern: '^([1-9][0-9]?%|100%)?$' }] }
/** A duration in the syntax of Go, in hours at least. */
const duration = { type: 'string', pattern: '^[1-9][0-9]*h([0-9]+m)?([0-9]+s)?$' }
const failurePolicy = { enum: ['Fail', 'Ignore'] }
const probe = {
  type: 'object',
  additionalProperties: false,
  properties: { initialDelaySeconds: whole(0), periodSeconds: whole(1), timeoutSeconds: whole(1), failureThreshold: whole(1) },
}

const preset = defaultInstallation

/** All values of the chart, with their defaults. */
export const values: Values = {
  image: {
    registry: value('', text, 'Registry, such as `registry.example.com`. Empty: `repository` is the whole name.'),
    repository: value(imageRepository, named, 'Image of the operator.'),
    tag: value('', text, 'Empty: the version of the chart.'),
    digest: value('', { ...text, pattern: '^(sha256:[0-9a-f]{64})?$' }, 'Digest of the image, `sha256:…`. It takes precedence over the tag.'),
    pullPolicy: value(preset.imagePullPolicy, { enum: ['Always', 'IfNotPresent', 'Never'] }, 'When nodes pull the image.'),
  },
  imagePullSecrets: value([], objectsWithNames, 'Secrets for a registry that needs a login: a list of `name`.'),
  replicaCount: value(preset.replicas, whole(1), 'Replicas. All answer reviews, one reconciles.'),
  podDisruptionBudget: {
    enabled: value(true, flag, 'Whether a node drain must leave replicas running. No effect with one replica.'),
    minAvailable: value('', pods, 'Replicas, or a percentage of them, that a node drain must leave running. Must be less than `replicaCount`.'),
    maxUnavailable: value('', pods, 'Replicas, or a percentage of them, that a node drain may evict at once. 1 if neither is set.'),
  },
  controller: {
    enabled: value(true, flag, 'Whether the operator reconciles. `false`: it only answers reviews. It may then read Secrets, but not list or write them.'),
  },
  watchNamespace: value('', { ...text, pattern: '^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$' },
    'The only namespace in which the operator manages DittoServers and has permissions to do so. The namespace must exist. Empty: all namespaces.'),
  secretAccess: value(preset.secretAccess, { enum: secretAccesses },
    'How the operator reads Secrets that servers use. `watch`: it sees changes at once. `get`: it reads them by name every minute, and may not list them.'),
  rbac: {
    create: value(true, flag, 'Whether the chart grants the permissions that the operator needs. `false`: you grant them.'),
    userRoles: value(true, flag, 'Whether to create the ClusterRoles `dittoserver-admin`, `-editor` and `-viewer` for users.'),
    aggregateClusterRoles: value(true, flag, 'Whether these are aggregated into the roles `admin`, `edit` and `view` of the cluster.'),
  },
  serviceAccount: {
    create: value(true, flag, 'Whether the chart creates the ServiceAccount.'),
    name: value('', text, `Name of the ServiceAccount. Empty: \`${name}\`.`),
    annotations: value({}, strings, 'Annotations of the ServiceAccount.'),
  },
  certificates: {
    mode: value('self', { enum: ['self', 'cert-manager', 'files'] },
      'Who creates the certificate of the webhook. `self`: the operator. `cert-manager`: cert-manager, which must be installed. `files`: you, in a Secret.'),
    secretName: value('', text, `Secret of the certificate, with \`tls.crt\` and \`tls.key\`. Empty: \`${name}-files\` with \`files\`, \`${certificateSecret}\` with \`cert-manager\`.`),
    caBundle: value('', { ...text, pattern: '^[A-Za-z0-9+/=]*$' }, 'With `files`: the CA that signed the certificate, PEM in base64.'),
    issuerRef: value({}, { type: 'object', additionalProperties: false, properties: { name: named, kind: named, group: named } },
      'With `cert-manager`: `name`, `kind` and `group` of your issuer. It must put `ca.crt` into the Secret. Empty: the chart creates a CA.'),
    duration: value(preset.certificateDuration, duration, 'With `cert-manager`: how long a certificate is valid.'),
    renewBefore: value(preset.certificateRenewBefore, duration, 'With `cert-manager`: how long before it expires a certificate is renewed.'),
  },
  webhook: {
    port: value(preset.ports.webhook, port, 'Port of the pods that the webhook listens on. The Service keeps port 443.'),
    timeoutSeconds: value(preset.webhook.timeoutSeconds, whole(1, 30), 'How long the API server waits for an answer.'),
    validating: {
      failurePolicy: value(preset.webhook.validatingFailurePolicy, failurePolicy,
        'What happens to a change while no replica answers. `Fail`: it is refused. `Ignore`: it is stored without being checked.'),
    },
    mutating: {
      failurePolicy: value(preset.webhook.mutatingFailurePolicy, failurePolicy, 'The same for the webhook that fills in defaults, which the CRD has as well.'),
    },
    namespaceSelector: value(preset.webhook.namespaceSelector, object, 'Namespaces whose DittoServers are checked, by labels. Empty: all. Not with `watchNamespace`.'),
    objectSelector: value(preset.webhook.objectSelector, object, 'DittoServers that are checked, by labels. Empty: all.'),
  },
  clientCertificates: {
    required: value(false, flag,
      `Whether the webhook answers only clients with a certificate signed by \`ca.crt\` of the ConfigMap \`${name}-client-ca\`. First give the API server such a certificate: docs/callers.md.`),
  },
  crds: { enabled: value(true, flag, 'Whether the chart installs the CustomResourceDefinition. It stays after an uninstall.') },
  hostNetwork: value(false, flag, 'Whether the pods use the network of their node, for clusters whose API server cannot reach pods. Then set ports that are free on the nodes.'),
  healthPort: value(preset.ports.metrics, port, 'Port of the pods for `/livez`, `/readyz` and `/metrics`. The Service keeps port 8081.'),
  networkPolicy: {
    enabled: value(true, flag, 'Whether traffic is limited to reviews, metrics, DNS and the API server.'),
    apiServerPorts: value(preset.apiServerPorts, ports, 'Ports of the API server: of its Service, and of the endpoints behind it.'),
    dnsPorts: value(preset.dnsPorts, ports, 'Ports of DNS, over UDP and TCP. OpenShift uses 5353.'),
  },
  monitoring: {
    enabled: value(false, flag, 'Whether to create a ServiceMonitor, a PrometheusRule and a Grafana dashboard. Needs the Prometheus operator.'),
    serviceMonitor: {
      labels: value({}, strings, 'Labels by which your Prometheus selects ServiceMonitors. For kube-prometheus-stack: `release`, with the name of its release.'),
      interval: value(preset.scrapeInterval, named, 'How often metrics are scraped.'),
      scrapeTimeout: value('', text, 'How long a scrape may take. Empty: the default of Prometheus.'),
    },
    prometheusRule: {
      enabled: value(true, flag, 'Whether to create alerts.'),
      labels: value({}, strings, 'Labels by which your Prometheus selects rules.'),
    },
    dashboard: {
      enabled: value(true, flag, 'Whether to create a ConfigMap with the dashboard.'),
      labels: value(preset.dashboardLabels, strings, 'Labels by which your Grafana selects dashboard ConfigMaps.'),
    },
  },
  logLevel: value(preset.logLevel, { enum: logLevels }, 'Lowest level of the log lines to write.'),
  drainPeriodSeconds: value(preset.drainPeriod, whole(0, 3600), 'How long a pod keeps answering reviews after it is told to stop, until the API server no longer sends any.'),
  terminationGracePeriodSeconds: value(preset.gracePeriod, whole(1), 'How long a pod may take to stop before it is killed. At least `drainPeriodSeconds` plus `webhook.timeoutSeconds`.'),
  livenessProbe: value(preset.livenessProbe, probe, 'Timing of the probe that restarts a process that hangs.'),
  readinessProbe: value(preset.readinessProbe, probe, 'Timing of the probe that takes a pod out of service.'),
  extraArgs: value([], { type: 'array', items: text }, 'Additional flags, such as `--rule=PORT-CONFLICT=deny`.'),
  extraEnv: value([], objectsWithNames, 'Additional environment variables of the container.'),
  extraVolumes: value([], objectsWithNames, 'Additional volumes of the pods.'),
  extraVolumeMounts: value([], objectsWithNames, 'Where the container mounts the additional volumes.'),
  resources: value(preset.resources, object, 'Requests and limits of the container.'),
  podSecurityContext: value(preset.podSecurityContext, object, 'Security context of the pods. On OpenShift set `runAsUser`, `runAsGroup` and `fsGroup` to null: OpenShift chooses them.'),
  containerSecurityContext: value(preset.containerSecurityContext, object, 'Security context of the container.'),
  commonLabels: value({}, strings, 'Labels of every object and of the pods.'),
  commonAnnotations: value({}, strings, 'Annotations of every object, but not of the pods and the CustomResourceDefinition.'),
  podLabels: value({}, strings, 'Labels of the pods.'),
  podAnnotations: value({}, strings, 'Annotations of the pods.'),
  topologySpreadConstraints: value(preset.topologySpreadConstraints, objects, 'How pods are spread over nodes and zones. By default evenly, where that is possible.'),
  priorityClassName: value('', text, 'Priority of the pods. With `system-cluster-critical` a node that runs out of memory evicts them last.'),
  nodeSelector: value({}, strings, 'Labels of the nodes that pods may run on.'),
  tolerations: value([], objects, 'Taints of nodes that the pods accept.'),
  affinity: value({}, object, 'Affinity of the pods.'),
}

export const defaultValues = presets(values)
export const listedValues = listed(values)

/** Subcharts and parents add `global` to our values. */
export const valuesSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  ...schemaOf({ ...values, global: value({}, object, 'Values of a parent chart.') }),
}
