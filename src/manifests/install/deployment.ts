import { certificateSecret, labels, name, selector } from './installation.ts'
import type { Installation } from './installation.ts'

export const ports = { webhook: 9443, metrics: 8081 }
const tlsFolder = '/etc/dittofs-operator/tls'

/** The drain (15 s), the longest admission (30 s), and some more. */
const gracePeriod = 60

const probe = (path: string, periodSeconds: number, failureThreshold: number) =>
  ({ httpGet: { path, port: 'metrics' }, periodSeconds, failureThreshold, timeoutSeconds: 3 })

/** Yours never bears the name of the one that the operator makes: replicas of the mode before would mend it. */
const mountedSecret = ({ certificates }: Installation) => certificates === 'files' ? `${name}-files` : certificateSecret

const args = ({ controller, watchNamespace, certificates, logLevel, extraArgs = [] }: Installation) => [
  'serve',
  `--port=${ports.webhook}`,
  `--health-port=${ports.metrics}`,
  '--operator-namespace=$(POD_NAMESPACE)',
  '--leader-election-namespace=$(POD_NAMESPACE)',
  `--log-level=${logLevel}`,
  '--log-format=json',
  ...(certificates === 'self' ? ['--cert-mode=self'] : ['--cert-mode=files', `--tls-dir=${tlsFolder}`]),
  ...(controller ? [] : ['--no-controller']),
  ...(watchNamespace === undefined ? [] : [`--watch-namespace=${watchNamespace}`]),
  ...extraArgs,
]

const container = (installation: Installation) => ({
  name: 'operator',
  image: installation.image,
  args: args(installation),
  env: [{ name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } }],
  ports: Object.entries(ports).map(([portName, containerPort]) => ({ name: portName, containerPort, protocol: 'TCP' })),
  // Starting anew helps against nothing but a process that hangs, so it takes long.
  livenessProbe: probe('/livez', 10, 6),
  readinessProbe: probe('/readyz', 5, 2),
  resources: installation.resources,
  securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
  ...(installation.certificates === 'self' ? {} : { volumeMounts: [{ name: 'tls', mountPath: tlsFolder, readOnly: true }] }),
})

export const deployment = (installation: Installation) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: installation.namespace, labels },
  spec: {
    replicas: installation.replicas,
    selector: { matchLabels: selector },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    template: {
      metadata: { labels },
      spec: {
        serviceAccountName: name,
        automountServiceAccountToken: true,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: gracePeriod,
        securityContext: { runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532, seccompProfile: { type: 'RuntimeDefault' } },
        topologySpreadConstraints: installation.topologySpreadConstraints,
        containers: [container(installation)],
        ...(installation.certificates === 'self' ? {} : { volumes: [{ name: 'tls', secret: { secretName: mountedSecret(installation) } }] }),
        ...installation.pod,
      },
    },
  },
})
