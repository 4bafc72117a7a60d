import { effectiveBackend } from '../dittoserver/database.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { listeners } from '../dittoserver/ports.ts'
import type { Claim } from './claim.ts'
import { canonicalQuantities, withoutEmpty } from './canonical.ts'
import { environment } from './environment.ts'
import { imagePullPolicy } from './image-pull-policy.ts'
import type { RenderInputs } from './inputs.ts'
import { containerSecurityContext, podSecurityContext } from './security.ts'
import { podVolumes, volumeMounts } from './volumes.ts'
import { waitForPostgres } from './wait-for-postgres.ts'

/** Name of the container of the server. */
export const serverContainer = 'dittofs'

export const defaultImage = 'marmos91c/dittofs:latest'

/** Seconds that a Service needs to remove the pod from its endpoints before the server stops. */
const preStopSleep = 5
/** The server stops in three stages of up to `shutdown_timeout` (30 s) each; 10 s are a reserve. */
const terminationGracePeriodSeconds = preStopSleep + 3 * 30 + 10

const probe = (path: string, port: number, rest: object) => ({
  httpGet: { path, port, scheme: 'HTTP' }, periodSeconds: 5, timeoutSeconds: 5, successThreshold: 1, failureThreshold: 3, ...rest,
})

function containerPorts ({ spec: { controlPlane, metrics, smb } }: DittoServer) {
  return [
    { name: 'nfs', containerPort: listeners.nfs },
    { name: 'api', containerPort: controlPlane.port },
    ...(metrics.enabled ? [{ name: 'metrics', containerPort: metrics.port }] : []),
    ...(smb.enabled ? [{ name: 'smb', containerPort: listeners.smb }] : []),
  ].map(port => ({ ...port, protocol: 'TCP' }))
}

function securityContext ({ spec }: DittoServer) {
  const context = podSecurityContext(spec)
  return context ? { securityContext: context } : {}
}

function resources ({ spec: { resources: given } }: DittoServer) {
  if (!given) return {}
  const { limits, requests, claims } = given
  const canonical = withoutEmpty({ limits: canonicalQuantities(limits), requests: canonicalQuantities(requests), claims })
  return canonical === undefined ? {} : { resources: canonical }
}

function container (server: DittoServer, inputs: RenderInputs, templates: readonly Claim[]) {
  const { spec } = server
  const { port } = spec.controlPlane
  const image = spec.image || defaultImage
  return {
    name: serverContainer,
    image,
    imagePullPolicy: imagePullPolicy(image),
    // No command: the name of the binary differs between versions, and the entrypoint of every image is correct.
    args: ['start', '--foreground', '--config', '/config/config.yaml'],
    ...resources(server),
    securityContext: containerSecurityContext(spec),
    ports: containerPorts(server),
    env: environment(server, inputs),
    volumeMounts: volumeMounts(templates),
    startupProbe: probe('/health', port, { failureThreshold: 30 }),
    livenessProbe: probe('/health', port, { initialDelaySeconds: 15, periodSeconds: 10 }),
    readinessProbe: probe('/health/ready', port, { initialDelaySeconds: 10 }),
    // The end of the log is then in the status of the pod, and from there in ours.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    lifecycle: { preStop: { sleep: { seconds: preStopSleep } } },
  }
}

export const podSpec = (server: DittoServer, inputs: RenderInputs, templates: readonly Claim[]) => ({
  automountServiceAccountToken: false,
  // Otherwise the environment variables of a Service called `dittofs-metrics` would override `metrics.port` with a URL.
  enableServiceLinks: false,
  terminationGracePeriodSeconds,
  ...securityContext(server),
  ...(effectiveBackend(server.spec) === 'percona' ? { initContainers: [waitForPostgres(server)] } : {}),
  containers: [container(server, inputs, templates)],
  volumes: podVolumes(server),
})
