import { ApiClient } from '../../src/cluster/api-client.ts'
import { createRequest, mergePatchRequest } from '../../src/cluster/api-requests.ts'
import { loadConnection } from '../../src/cluster/kubeconfig.ts'
import { resourcePath } from '../../src/cluster/resource-path.ts'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import type { ControlPlane } from '../control-plane/control-plane.ts'

// The objects that the Go operator for DittoFS, as of February 2026, creates for a DittoServer. They are written like in that operator, by
// a separate client whose field manager is `manager` (the binary name in kubebuilder), with creates and updates and never with server-side
// apply.

export const fieldManager = 'manager'

export interface GoServer {
  readonly metadata: { readonly name: string, readonly uid: string }
  readonly spec: {
    readonly image?: string
    readonly storage: { readonly metadataSize: string, readonly contentSize?: string, readonly cacheSize: string }
    readonly controlPlane?: { readonly port?: number }
    readonly metrics?: { readonly enabled?: boolean }
    readonly smb?: { readonly enabled?: boolean }
    readonly s3?: { readonly credentialsSecretRef?: { readonly secretName: string } }
    readonly identity?: { readonly jwt?: { readonly secretRef?: { readonly name: string, readonly key: string } } }
    readonly percona?: { readonly enabled?: boolean }
  }
}

const labelsOf = ({ metadata: { name } }: GoServer) => ({ app: 'dittofs-server', instance: name })

const owned = ({ metadata: { name, uid } }: GoServer, child: string, labels?: Readonly<Record<string, string>>) => ({
  name: child,
  namespace: 'default',
  ...(labels ? { labels } : {}),
  ownerReferences: [{ apiVersion: 'dittofs.dittofs.com/v1alpha1', kind: 'DittoServer', name, uid, controller: true, blockOwnerDeletion: true }],
})

const apiPort = ({ spec }: GoServer) => spec.controlPlane?.port ?? 8080

function ports (server: GoServer) {
  const { metrics, smb } = server.spec
  return [
    { name: 'nfs', port: 12049 },
    { name: 'api', port: apiPort(server) },
    ...(metrics?.enabled ? [{ name: 'metrics', port: 9090 }] : []),
    ...(smb?.enabled ? [{ name: 'smb', port: 12445 }] : []),
  ]
}

const service = (server: GoServer, suffix: string, names: readonly string[], spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: owned(server, `${server.metadata.name}-${suffix}`, labelsOf(server)),
  spec: {
    type: 'ClusterIP',
    selector: labelsOf(server),
    ports: ports(server).filter(({ name }) => names.includes(name)).map(({ name, port }) => ({ name, port, targetPort: port, protocol: 'TCP' })),
    ...spec,
  },
})

const configMap = (server: GoServer) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: owned(server, `${server.metadata.name}-config`),
  data: { 'config.yaml': `controlplane:\n    port: ${apiPort(server)}\n    jwt:\n        issuer: dittofs\n` },
})

const fromSecret = (name: string, secret: string, key: string, optional?: boolean) =>
  ({ name, valueFrom: { secretKeyRef: { name: secret, key, ...(optional ? { optional } : {}) } } })

function environment ({ metadata, spec: { identity, s3, percona } }: GoServer) {
  const jwt = identity?.jwt?.secretRef
  const credentials = s3?.credentialsSecretRef?.secretName
  return [
    // No server read it then; newer ones do.
    fromSecret('DITTOFS_CONTROLPLANE_JWT_SECRET', jwt?.name ?? `${metadata.name}-jwt-secret`, jwt?.key ?? 'jwt-secret'),
    ...(credentials
      ? [
          fromSecret('AWS_ACCESS_KEY_ID', credentials, 'accessKeyId'),
          fromSecret('AWS_SECRET_ACCESS_KEY', credentials, 'secretAccessKey'),
          fromSecret('AWS_ENDPOINT_URL', credentials, 'endpoint', true),
          { name: 'AWS_REGION', value: 'eu-west-1' },
        ]
      : []),
    ...(percona?.enabled ? [fromSecret('DATABASE_URL', `${metadata.name}-postgres-pguser-dittofs`, 'uri')] : []),
  ]
}

const probe = (path: string, port: number, rest: object) =>
  ({ httpGet: { path, port, scheme: 'HTTP' }, timeoutSeconds: 5, successThreshold: 1, failureThreshold: 3, periodSeconds: 5, ...rest })

const claim = (name: string, storage: string) =>
  ({ metadata: { name }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } } })

function statefulSet (server: GoServer) {
  const { metadata: { name }, spec: { storage, image } } = server
  const port = apiPort(server)
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: owned(server, name),
    spec: {
      replicas: 1,
      serviceName: `${name}-headless`,
      // The default of the API server.
      podManagementPolicy: 'OrderedReady',
      selector: { matchLabels: labelsOf(server) },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      template: {
        metadata: { labels: labelsOf(server), annotations: { 'dittofs.io/config-hash': 'e60bdeeafb2369c8fe9e3c4fc1a21b5b456a1f657d076d576484c80e7b52d0e9' } },
        spec: {
          securityContext: { fsGroup: 65532 },
          containers: [{
            name: 'dittofs',
            image: image ?? 'marmos91c/dittofs:latest',
            command: ['/app/dittofs'],
            args: ['start', '--foreground', '--config', '/config/config.yaml'],
            ports: ports(server).map(({ name: called, port }) => ({ name: called, containerPort: port, protocol: 'TCP' })),
            env: environment(server),
            volumeMounts: [
              { name: 'metadata', mountPath: '/data/metadata' },
              { name: 'cache', mountPath: '/data/cache' },
              { name: 'config', mountPath: '/config' },
              ...(storage.contentSize ? [{ name: 'content', mountPath: '/data/content' }] : []),
            ],
            startupProbe: probe('/health', port, { failureThreshold: 30 }),
            livenessProbe: probe('/health', port, { initialDelaySeconds: 15, periodSeconds: 10 }),
            readinessProbe: probe('/health/ready', port, { initialDelaySeconds: 10 }),
            lifecycle: { preStop: { exec: { command: ['/bin/sh', '-c', 'sleep 5'] } } },
          }],
          volumes: [{ name: 'config', configMap: { name: `${name}-config` } }],
        },
      },
      volumeClaimTemplates: [
        claim('metadata', storage.metadataSize), ...(storage.contentSize ? [claim('content', storage.contentSize)] : []), claim('cache', storage.cacheSize),
      ],
    },
  }
}

const perconaCluster = (server: GoServer) => ({
  apiVersion: 'pgv2.percona.com/v2',
  kind: 'PerconaPGCluster',
  metadata: owned(server, `${server.metadata.name}-postgres`),
  spec: {
    crVersion: '2.8.0',
    postgresVersion: 16,
    instances: [{
      name: 'instance1', replicas: 1, dataVolumeClaimSpec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } },
    }],
    users: [{ name: 'dittofs', databases: ['dittofs'] }],
    backups: { enabled: false },
  },
})

const jwtSecret = (server: GoServer) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: owned(server, `${server.metadata.name}-jwt-secret`),
  stringData: { 'jwt-secret': 'abcdefghijklmnopqrstuvwxyz012345' },
})

/** In the order in which that operator makes them. */
export const goObjects = (server: GoServer) => [
  ...(server.spec.identity?.jwt?.secretRef ? [] : [jwtSecret(server)]),
  configMap(server),
  service(server, 'headless', ['nfs'], { clusterIP: 'None' }),
  service(server, 'file', ['nfs', 'smb']),
  service(server, 'api', ['api']),
  ...(server.spec.metrics?.enabled ? [service(server, 'metrics', ['metrics'])] : []),
  ...(server.spec.percona?.enabled ? [perconaCluster(server)] : []),
  statefulSet(server),
]

const plurals: Readonly<Record<string, { group: string, version: string, resource: string }>> = {
  Secret: { group: '', version: 'v1', resource: 'secrets' },
  ConfigMap: { group: '', version: 'v1', resource: 'configmaps' },
  Service: { group: '', version: 'v1', resource: 'services' },
  StatefulSet: { group: 'apps', version: 'v1', resource: 'statefulsets' },
  PerconaPGCluster: { group: 'pgv2.percona.com', version: 'v2', resource: 'perconapgclusters' },
}

const finalizer = 'dittofs.dittofs.com/finalizer'

/** Reconciles an existing DittoServer once, like that operator. */
export async function goOperator (plane: Pick<ControlPlane, 'kubeconfig'>) {
  const client = new ApiClient({ connection: await loadConnection({ file: plane.kubeconfig }), userAgent: 'manager/v0.0.0' })
  const create = async (object: KubernetesObject) => {
    const resource = plurals[object.kind]
    if (!resource) throw new Error(`no ${object.kind}`)
    await client.request({ ...createRequest(resourcePath(resource, { namespace: 'default' }), object), query: { fieldManager } })
  }
  return {
    close: () => { client.close() },
    reconcile: async (name: string) => {
      const path = resourcePath({ group: 'dittofs.dittofs.com', version: 'v1alpha1', resource: 'dittoservers' }, { namespace: 'default', name })
      const server = await client.request<GoServer>(mergePatchRequest(path, { metadata: { finalizers: [finalizer] } }, fieldManager))
      for (const object of goObjects(server)) await create(object)
      const nfsEndpoint = `${name}-file.default.svc.cluster.local:12049`
      const status = { observedGeneration: 1, replicas: 1, phase: 'Pending', configHash: 'e60bdeeafb2369c8fe9e3c4fc1a21b5b', nfsEndpoint }
      await client.request(mergePatchRequest(`${path}/status`, { status }, fieldManager))
      return server
    },
  }
}
