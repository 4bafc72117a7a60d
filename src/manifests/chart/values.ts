import { defaultInstallation, imageRepository } from '../install/installation.ts'
import { logLevels } from '../../log.ts'

interface Value {
  readonly preset: unknown
  readonly description: string
  readonly schema: object
}

type Values = { readonly [key: string]: Value | Values }

const isValue = (entry: Value | Values): entry is Value => 'preset' in entry && 'schema' in entry

const text = { type: 'string' }
const flag = { type: 'boolean' }
const object = { type: 'object' }
const objects = { type: 'array', items: { type: 'object' } }
const value = (preset: unknown, schema: object, description: string): Value => ({ preset, schema, description })
const { replicas, minAvailable, resources, topologySpreadConstraints, logLevel } = defaultInstallation

/** Everything that may be set, with its default. */
const values: Values = {
  image: {
    repository: value(imageRepository, { ...text, minLength: 1 }, 'Image of the operator.'),
    tag: value('', text, 'Empty: the version of the chart.'),
  },
  imagePullSecrets: value([], objects, 'Secrets for a registry that wants a log-in: a list of `name`.'),
  replicas: value(replicas, { type: 'integer', minimum: 1 }, 'All answer reviews, one reconciles.'),
  podDisruptionBudget: {
    minAvailable: value(minAvailable, { type: 'integer', minimum: 0 }, 'Replicas that a drain of nodes leaves. Without effect for one replica.'),
  },
  controller: {
    enabled: value(true, flag, 'Whether it reconciles. false: it only answers reviews, and may read Secrets but not list or write them.'),
  },
  watchNamespace: value('', text, 'The one namespace whose DittoServers it may touch. It must exist. Empty: all.'),
  certificates: {
    mode: value('self', { enum: ['self', 'cert-manager', 'files'] },
      'Who makes the serving certificate: the operator, cert-manager, or you, in the Secret dittofs-operator-tls.'),
    caBundle: value('', { ...text, pattern: '^[A-Za-z0-9+/=]*$' }, 'With `files`: the certificate authority, PEM in base64.'),
  },
  crd: { install: value(true, flag, 'Whether the chart brings the CustomResourceDefinition. It stays after an uninstall.') },
  networkPolicy: { enabled: value(true, flag, 'Whether traffic is limited to reviews, metrics, names and the API server.') },
  monitoring: { enabled: value(false, flag, 'ServiceMonitor, PrometheusRule and a Grafana dashboard. Needs the Prometheus operator.') },
  logLevel: value(logLevel, { enum: logLevels }, 'Least severe log lines to write.'),
  extraArgs: value([], { type: 'array', items: text }, 'More flags, such as --rule=PORT-CONFLICT=deny.'),
  resources: value(resources, object, 'Of the container.'),
  topologySpreadConstraints: value(topologySpreadConstraints, objects, 'Of the pods.'),
  priorityClassName: value('', text, 'Of the pods.'),
  nodeSelector: value({}, object, 'Of the pods.'),
  tolerations: value([], objects, 'Of the pods.'),
  affinity: value({}, object, 'Of the pods.'),
}

const presets = (entries: Values): Record<string, unknown> =>
  Object.fromEntries(Object.entries(entries).map(([key, entry]) => [key, isValue(entry) ? entry.preset : presets(entry)]))

const schemaOf = (entries: Values): object => ({
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(Object.entries(entries).map(([key, entry]) =>
    [key, isValue(entry) ? { description: entry.description, ...entry.schema } : schemaOf(entry)])),
})

/** The description of each value, by its path. */
function descriptions (entries: Values, path: readonly string[] = []): [path: readonly string[], description: string][] {
  return Object.entries(entries).flatMap(([key, entry]) => {
    const at = [...path, key]
    return isValue(entry) ? [[at, entry.description] as [readonly string[], string]] : descriptions(entry, at)
  })
}

export const defaultValues = presets(values)
export const valueDescriptions = descriptions(values)
/** Subcharts and parents put `global` beside our own. */
export const valuesSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  ...schemaOf({ ...values, global: value({}, object, 'Of a parent chart.') }),
}
