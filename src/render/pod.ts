import { effectiveBackend } from '../dittoserver/database.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { listeners } from '../dittoserver/ports.ts'
import type { Claim } from './claim.ts'
import { environment } from './environment.ts'
import type { RenderInputs } from './inputs.ts'
import { containerSecurityContext, podSecurityContext } from './security.ts'
import { podVolumes, volumeMounts } from './volumes.ts'
import { waitForPostgres } from './wait-for-postgres.ts'

const defaultImage = 'marmos91c/dittofs:latest'

/** Seconds that a Service needs to forget the pod before the server goes. */
const preStopSleep = 5
/** The server stops in three stages of up to `shutdown_timeout` (30 s) each; 10 s are left for the rest. */
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

function container (server: DittoServer, inputs: RenderInputs, templates: readonly Claim[]) {
  const { spec } = server
  const { port } = spec.controlPlane
  return {
    name: 'dittofs',
    image: spec.image || defaultImage,
    // No command: the binary was renamed between versions, and the entrypoint of every image is right.
    args: ['start', '--foreground', '--config', '/config/config.yaml'],
    ...(spec.resources ? { resources: spec.resources } : {}),
    securityContext: containerSecurityContext(spec),
    ports: containerPorts(server),
    env: environment(server, inputs),
    volumeMounts: volumeMounts(templates),
    startupProbe: probe('/health', port, { failureThreshold: 30 }),
    livenessProbe: probe('/health', port, { initialDelaySeconds: 15, periodSeconds: 10 }),
    readinessProbe: probe('/health/ready', port, { initialDelaySeconds: 10 }),
    lifecycle: { preStop: { sleep: { seconds: preStopSleep } } },
  }
}

export const podSpec = (server: DittoServer, inputs: RenderInputs, templates: readonly Claim[]) => ({
  automountServiceAccountToken: false,
  // The variables of a Service called `dittofs-metrics` would override `metrics.port` with a URL.
  enableServiceLinks: false,
  terminationGracePeriodSeconds,
  securityContext: podSecurityContext(server.spec),
  ...(effectiveBackend(server.spec) === 'percona' ? { initContainers: [waitForPostgres(server)] } : {}),
  containers: [container(server, inputs, templates)],
  volumes: podVolumes(server),
})
