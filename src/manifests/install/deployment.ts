import { certificateSecret, labels, name, selector } from './installation.ts'
import type { Installation } from './installation.ts'

const tlsFolder = '/etc/dittofs-operator/tls'
const clientCaFolder = '/etc/dittofs-operator/client-ca'

const probe = (path: string, timing: object) => ({ httpGet: { path, port: 'metrics' }, ...timing })

/** The user's Secret never has the name of the operator's own Secret: replicas of the previous mode would repair it. */
const mountedSecret = ({ certificates, certificateSecret: given }: Installation) =>
  given ?? (certificates === 'files' ? `${name}-files` : certificateSecret)

const args = ({
  ports, logLevel, drainPeriod, controller, watchNamespace, secretAccess, certificates, clientCertificates, extraArgs = [],
}: Installation) => [
  'serve',
  `--port=${ports.webhook}`,
  `--health-port=${ports.metrics}`,
  '--operator-namespace=$(POD_NAMESPACE)',
  '--leader-election-namespace=$(POD_NAMESPACE)',
  `--log-level=${logLevel}`,
  '--log-format=json',
  `--drain-period=${drainPeriod}`,
  // Each flag is appended at the end, so that kustomize can combine them. Without the first flag, the operator creates its own certificate.
  ...(certificates === 'self' ? [] : ['--cert-mode=files', `--tls-dir=${tlsFolder}`]),
  ...(controller ? [] : ['--no-controller']),
  ...(watchNamespace === undefined ? [] : [`--watch-namespace=${watchNamespace}`]),
  ...(controller && secretAccess === 'get' ? ['--secret-access=get'] : []),
  ...(clientCertificates ? [`--client-ca=${clientCaFolder}/ca.crt`] : []),
  ...extraArgs,
]

const container = (installation: Installation) => ({
  name: 'operator',
  image: installation.image,
  imagePullPolicy: installation.imagePullPolicy,
  args: args(installation),
  env: [{ name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } }, ...installation.extraEnv ?? []],
  ports: (['webhook', 'metrics'] as const).map(port => ({ name: port, containerPort: installation.ports[port], protocol: 'TCP' })),
  livenessProbe: probe('/livez', installation.livenessProbe),
  readinessProbe: probe('/readyz', installation.readinessProbe),
  resources: installation.resources,
  securityContext: installation.containerSecurityContext,
  volumeMounts: [
    { name: 'client-ca', mountPath: clientCaFolder, readOnly: true },
    ...(installation.certificates === 'self' ? [] : [{ name: 'tls', mountPath: tlsFolder, readOnly: true }]),
    ...installation.extraVolumeMounts ?? [],
  ],
})

/** On the host network, a new pod cannot start next to an old one on the same node, because both use the same ports. */
const rollingUpdate = ({ hostNetwork }: Installation) =>
  hostNetwork ? { maxSurge: 0, maxUnavailable: 1 } : { maxSurge: 1, maxUnavailable: 0 }

export const deployment = (installation: Installation) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: installation.namespace, labels },
  spec: {
    replicas: installation.replicas,
    selector: { matchLabels: selector },
    strategy: { type: 'RollingUpdate', rollingUpdate: rollingUpdate(installation) },
    template: {
      metadata: {
        labels: { ...labels, ...installation.podLabels },
        ...(installation.podAnnotations === undefined ? {} : { annotations: installation.podAnnotations }),
      },
      spec: {
        serviceAccountName: installation.serviceAccount.name,
        automountServiceAccountToken: true,
        enableServiceLinks: false,
        ...(installation.hostNetwork ? { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' } : {}),
        terminationGracePeriodSeconds: installation.gracePeriod,
        securityContext: installation.podSecurityContext,
        topologySpreadConstraints: installation.topologySpreadConstraints,
        containers: [container(installation)],
        volumes: [
          { name: 'client-ca', configMap: { name: `${name}-client-ca`, optional: true } },
          ...(installation.certificates === 'self' ? [] : [{ name: 'tls', secret: { secretName: mountedSecret(installation) } }]),
          ...installation.extraVolumes ?? [],
        ],
        ...installation.pod,
      },
    },
  },
})
