import { imageRepository, imageTag, spread, type Installation } from '../../src/manifests/install/installation.ts'
import type { Common } from './released.ts'

// Values of the chart, and the expected change of each in the description that kustomize and the chart are generated from.

/** The options for one setting. */
export interface Choice {
  readonly values: Readonly<Record<string, unknown>>
  readonly installation?: Partial<Installation>
  readonly common?: Common
}

const caBundle = Buffer.from('-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n').toString('base64')
const digest = `sha256:${'a'.repeat(64)}`
const issuerRef = { name: 'corporate', kind: 'ClusterIssuer', group: 'cert-manager.io' }
const restricted = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }
const terms = [{ matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] }]
const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } }
const expression = (value: unknown) => value as `{{ ${string} }}`
const selector = { matchExpressions: [{ key: 'tier', operator: 'In', values: ['files'] }] }
const tag = 'v9.9.9'

const nothing: Choice = { values: {} }

/** By the name of the thing; the first choice of each is the default. */
export const choices: Readonly<Record<string, readonly Choice[]>> = {
  image: [
    nothing,
    {
      values: { image: { registry: 'registry.example.com', tag, digest, pullPolicy: 'Always' }, imagePullSecrets: [{ name: 'registry' }] },
      installation: { image: `registry.example.com/${imageRepository}:${tag}@${digest}`, imagePullPolicy: 'Always', pod: { imagePullSecrets: expression([{ name: 'registry' }]) } },
    },
    { values: { image: { repository: 'example.com/mirror/operator', pullPolicy: 'Never' } }, installation: { image: `example.com/mirror/operator:${imageTag}`, imagePullPolicy: 'Never' } },
  ],
  replicas: [
    nothing,
    { values: { replicaCount: 1 }, installation: { replicas: 1 } },
    {
      values: { replicaCount: 3, podDisruptionBudget: { minAvailable: 2 } },
      installation: { replicas: 3, podDisruptionBudget: { minAvailable: 2 } },
    },
    { values: { replicaCount: 4, podDisruptionBudget: { maxUnavailable: '50%' } }, installation: { replicas: 4, podDisruptionBudget: { maxUnavailable: '50%' } } },
    { values: { replicaCount: 2, podDisruptionBudget: { enabled: false } }, installation: { podDisruptionBudget: undefined } },
  ],
  certificates: [
    nothing,
    { values: { certificates: { mode: 'files', caBundle } }, installation: { certificates: 'files', caBundle } },
    { values: { certificates: { mode: 'files', secretName: 'mine' } }, installation: { certificates: 'files', certificateSecret: 'mine' } },
    { values: { certificates: { mode: 'cert-manager' } }, installation: { certificates: 'cert-manager' } },
    {
      values: { certificates: { mode: 'cert-manager', secretName: 'theirs', issuerRef, duration: '48h', renewBefore: '24h0m0s' } },
      installation: {
        certificates: 'cert-manager', certificateSecret: 'theirs', issuerRef, certificateDuration: '48h', certificateRenewBefore: '24h0m0s',
      },
    },
  ],
  scope: [
    nothing,
    { values: { watchNamespace: 'dittofs' }, installation: { watchNamespace: 'dittofs' } },
    { values: { watchNamespace: 'dittofs', secretAccess: 'get' }, installation: { watchNamespace: 'dittofs', secretAccess: 'get' } },
    { values: { secretAccess: 'get' }, installation: { secretAccess: 'get' } },
    { values: { webhook: { namespaceSelector: selector } }, installation: { webhook: { namespaceSelector: selector } as Installation['webhook'] } },
  ],
  controller: [nothing, { values: { controller: { enabled: false } }, installation: { controller: false } }],
  webhook: [
    nothing,
    {
      values: { webhook: { timeoutSeconds: 30, validating: { failurePolicy: 'Ignore' }, objectSelector: selector } },
      installation: { webhook: { timeoutSeconds: 30, validatingFailurePolicy: 'Ignore', objectSelector: selector } as Installation['webhook'] },
    },
    { values: { webhook: { mutating: { failurePolicy: 'Fail' } } }, installation: { webhook: { mutatingFailurePolicy: 'Fail' } as Installation['webhook'] } },
  ],
  callers: [nothing, { values: { clientCertificates: { required: true } }, installation: { clientCertificates: true } }],
  network: [
    nothing,
    {
      values: { hostNetwork: true, webhook: { port: 10260 }, healthPort: 10261 },
      installation: { hostNetwork: true, ports: { webhook: 10260, metrics: 10261 } },
    },
    {
      values: { networkPolicy: { apiServerPorts: [443, 6443, 16443], dnsPorts: [53, 5353] } },
      installation: { apiServerPorts: [443, 6443, 16443], dnsPorts: [53, 5353] },
    },
    { values: { networkPolicy: { enabled: false } }, installation: { networkPolicy: false } },
  ],
  rights: [
    nothing,
    { values: { rbac: { create: false } }, installation: { rbac: false } },
    { values: { rbac: { userRoles: false } }, installation: { userRoles: false } },
    { values: { rbac: { aggregateClusterRoles: false } }, installation: { aggregateRoles: false } },
  ],
  account: [
    nothing,
    {
      values: { serviceAccount: { name: 'storage', annotations: { 'example.com/role': 'reader' } } },
      installation: { serviceAccount: { create: true, name: 'storage' }, serviceAccountAnnotations: { 'example.com/role': 'reader' } },
    },
    { values: { serviceAccount: { create: false, name: 'given' } }, installation: { serviceAccount: { create: false, name: 'given' } } },
  ],
  monitoring: [
    nothing,
    { values: { monitoring: { enabled: true } }, installation: { monitoring: true } },
    {
      values: {
        monitoring: {
          enabled: true,
          serviceMonitor: { labels: { release: 'prometheus' }, interval: '1m', scrapeTimeout: '10s' },
          prometheusRule: { labels: { release: 'prometheus', role: 'alerts' } },
          dashboard: { labels: { folder: 'storage' } },
        },
      },
      installation: {
        monitoring: true,
        serviceMonitorLabels: { release: 'prometheus' },
        scrapeInterval: '1m',
        scrapeTimeout: '10s',
        prometheusRuleLabels: { release: 'prometheus', role: 'alerts' },
        dashboardLabels: { grafana_dashboard: '1', folder: 'storage' },
      },
    },
    {
      values: { monitoring: { enabled: true, prometheusRule: { enabled: false }, dashboard: { enabled: false } } },
      installation: { monitoring: true, alerts: false, dashboard: false },
    },
  ],
  stopping: [
    nothing,
    { values: { drainPeriodSeconds: 120, terminationGracePeriodSeconds: 180 }, installation: { drainPeriod: 120, gracePeriod: 180 } },
  ],
  probes: [
    nothing,
    {
      values: { livenessProbe: { initialDelaySeconds: 30, failureThreshold: 9 }, readinessProbe: { periodSeconds: 2 } },
      installation: {
        livenessProbe: { initialDelaySeconds: 30, periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 9 },
        readinessProbe: { periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 2 },
      },
    },
  ],
  extras: [
    nothing,
    {
      values: {
        extraArgs: ['--rule=PORT-CONFLICT=deny'],
        extraEnv: [{ name: 'HTTPS_PROXY', value: 'http://proxy.example.com:3128' }],
        extraVolumes: [{ name: 'scratch', emptyDir: {} }],
        extraVolumeMounts: [{ name: 'scratch', mountPath: '/scratch' }],
      },
      installation: {
        extraArgs: ['--rule=PORT-CONFLICT=deny'],
        extraEnv: [{ name: 'HTTPS_PROXY', value: 'http://proxy.example.com:3128' }],
        extraVolumes: [{ name: 'scratch', emptyDir: {} }],
        extraVolumeMounts: [{ name: 'scratch', mountPath: '/scratch' }],
      },
    },
  ],
  security: [
    nothing,
    // OpenShift: https://docs.redhat.com/en/documentation/openshift_container_platform/4.19/html/authentication_and_authorization/managing-pod-security-policies
    {
      values: { podSecurityContext: { runAsUser: null, runAsGroup: null, fsGroup: null } },
      installation: { podSecurityContext: restricted },
    },
  ],
  metadata: [
    nothing,
    {
      values: { commonLabels: { team: 'storage' }, commonAnnotations: { 'example.com/owner': 'storage' } },
      common: { labels: { team: 'storage' }, annotations: { 'example.com/owner': 'storage' } },
    },
    {
      values: { podLabels: { 'sidecar.istio.io/inject': 'false' }, podAnnotations: { 'example.com/scrape': 'true' } },
      installation: { podLabels: { 'sidecar.istio.io/inject': 'false' }, podAnnotations: expression({ 'example.com/scrape': 'true' }) },
    },
  ],
  scheduling: [
    nothing,
    {
      values: {
        priorityClassName: 'system-cluster-critical', nodeSelector: { role: 'infra' }, tolerations: [{ key: 'infra', operator: 'Exists' }], affinity,
      },
      installation: {
        pod: {
          priorityClassName: 'system-cluster-critical',
          nodeSelector: expression({ role: 'infra' }),
          tolerations: expression([{ key: 'infra', operator: 'Exists' }]),
          affinity: expression(affinity),
        },
      },
    },
    { values: { topologySpreadConstraints: spread('DoNotSchedule') }, installation: { topologySpreadConstraints: spread('DoNotSchedule') } },
  ],
  container: [
    nothing,
    {
      values: { logLevel: 'debug', resources: { limits: { cpu: '1', memory: '1Gi' } } },
      installation: { logLevel: 'debug', resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { cpu: '1', memory: '1Gi' } } },
    },
  ],
}

/** A choice of each thing, by its index. */
type Set = readonly number[]

/**
 * Sets that together have every pair of choices of two things. Greedy: each set takes, thing by thing, the choice that adds most pairs
 * which are in no set yet. https://en.wikipedia.org/wiki/All-pairs_testing
 */
export function pairwise (sizes: readonly number[]): Set[] {
  const missing = new Set<string>()
  const pair = (a: number, x: number, b: number, y: number) => a < b ? `${a}.${x} ${b}.${y}` : `${b}.${y} ${a}.${x}`
  sizes.forEach((size, a) => sizes.forEach((other, b) => {
    if (a < b) for (let x = 0; x < size; x++) for (let y = 0; y < other; y++) missing.add(pair(a, x, b, y))
  }))
  const sets: Set[] = []
  while (missing.size > 0) {
    const [first = ''] = missing
    const chosen = new Map(first.split(' ').map(one => one.split('.').map(Number) as [number, number]))
    const gain = (thing: number, choice: number) =>
      [...chosen].filter(([other, its]) => missing.has(pair(thing, choice, other, its))).length
    sizes.forEach((size, thing) => {
      if (chosen.has(thing)) return
      const options = Array.from({ length: size }, (_, choice) => choice)
      // Ties go to another choice each time.
      const best = options.map(choice => (choice + sets.length) % size).toSorted((x, y) => gain(thing, y) - gain(thing, x))[0] ?? 0
      chosen.set(thing, best)
    })
    const list = [...chosen]
    for (const [a, x] of list) for (const [b, y] of list) if (a < b) missing.delete(pair(a, x, b, y))
    sets.push(sizes.map((_, thing) => chosen.get(thing) ?? 0))
  }
  return sets
}
