import { modelKinds } from './model/kinds.ts'
import type { Tree } from './model/tree.ts'
import type { GoServer } from '../stories/go-operator.ts'

// The specs that users write into a DittoServer, and their later changes.

export const namespace = 'ns'
export const serverNames = ['a', 'b', 'c'] as const
export type ServerName = typeof serverNames[number]

const sizes = { metadataSize: '10Gi' }

/** Servers to begin with. */
export const specs: readonly Tree[] = [
  { storage: sizes },
  { storage: { ...sizes, contentSize: '20Gi', cacheSize: '1024Mi', storageClassName: 'grows' }, metrics: { enabled: true }, smb: { enabled: true } },
  { storage: { ...sizes, storageClassName: 'stays' }, service: { type: 'NodePort', annotations: { 'example.com/pool': 'a' } } },
  { storage: sizes, percona: { enabled: true, storageSize: '10240Mi' } },
  { storage: sizes, percona: { enabled: true, deleteWithServer: true, replicas: 2 } },
  { storage: sizes, database: { type: 'postgres', postgresSecretRef: { name: 'database', key: 'url' } } },
  { storage: sizes, database: { postgresSecretRef: { name: 'keys', key: 'url' } }, identity: { admin: { passwordSecretRef: { name: 'admin', key: 'password' } } } },
  { storage: sizes, s3: { credentialsSecretRef: { secretName: 's3' }, region: 'eu-north-1' }, identity: { jwt: { secretRef: { name: 'jwt', key: 'key' } } } },
  { storage: sizes, replicas: 0, resources: { requests: { cpu: '1000m', memory: '1024Mi' }, limits: { cpu: '2.0', memory: '2048Mi' } } },
  { storage: sizes, image: 'example.com/broken:1' },
  { storage: { ...sizes, storageClassName: 'later' } },
]

/** Servers that the Go operator created. */
export const goSpecs: readonly GoServer['spec'][] = [
  { storage: { metadataSize: '10Gi', cacheSize: '5Gi' } },
  { storage: { metadataSize: '10Gi', contentSize: '20Gi', cacheSize: '5Gi' }, metrics: { enabled: true }, image: 'example.com/dittofs:1' },
  { storage: { metadataSize: '10Gi', cacheSize: '5Gi' }, percona: { enabled: true } },
]

/** Changes whose order does not affect the final state, as merge patches of the spec. */
export const changes: readonly Tree[] = [
  { image: 'example.com/dittofs:2' },
  { image: 'example.com/broken:1' },
  { image: null },
  { replicas: 0 },
  { replicas: 1 },
  { nfsPort: 2049 },
  { smb: { enabled: true, port: 445 } },
  { smb: { enabled: false } },
  { metrics: { enabled: true, port: 9191 } },
  { metrics: { enabled: false } },
  { controlPlane: { port: 8081 } },
  { service: { type: 'LoadBalancer', annotations: { 'example.com/pool': 'b' } } },
  { service: { type: 'ClusterIP', annotations: null } },
  { cache: { size: '2GB' } },
  { identity: { jwt: { accessTokenDuration: '30m' } } },
  { resources: { limits: { memory: '4Gi' } } },
  { resources: null },
  { securityContext: { capabilities: { add: ['SYS_NICE'] } }, podSecurityContext: { fsGroup: 2000 } },
  { storage: { metadataSize: '20Gi' } },
  { storage: { metadataSize: '30Gi', cacheSize: '10Gi' } },
  { s3: { credentialsSecretRef: { secretName: 's3' } } },
  { percona: { deleteWithServer: true } },
  { percona: { deleteWithServer: false } },
  { percona: { replicas: 3, storageSize: '20Gi' } },
  { percona: { backup: { enabled: true, bucket: 'b', endpoint: 'https://s3.example.com', credentialsSecretRef: { name: 'backup' } } } },
]

/** Changes that depend on the previous state, so each is used alone. */
export const structuralChanges: readonly Tree[] = [
  { metrics: { enabled: true, port: 8080 } }, // collides with the API: refused
  { metrics: { enabled: true, port: 12049 } },
  { nfsPort: 12445, smb: { enabled: true, port: 12445 } },
  { percona: { enabled: true } },
  { percona: { enabled: true, deleteWithServer: false }, metrics: { enabled: true, port: 8080 } },
  { percona: { deleteWithServer: false }, controlPlane: { port: 12049 } },
  { database: { postgresSecretRef: { name: 'database', key: 'url' } } },
  { database: { postgresSecretRef: { name: 'keys', key: 'url' } } },
  { storage: { contentSize: '5Gi' } },
  { resources: { requests: { cpu: '4' }, limits: { cpu: '1' } } }, // the API server refuses the StatefulSet
  { service: { annotations: { 'a/b/c': 'x' } } }, // and this one the Services
]

const encode = (data: Readonly<Record<string, string>>): Tree =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))

/** Secrets of users, each in several states; undefined: not there. */
export const secrets: Readonly<Record<string, readonly (Tree | undefined)[]>> = {
  database: [
    encode({ url: 'postgres://me:hush@db.example.com/files' }), encode({ url: 'postgres://you:tell@db.example.com:6432/files?sslmode=disable' }),
    encode({ host: 'db', database: 'd', user: 'u', password: 'p', url: 'none' }), undefined,
  ],
  keys: [encode({ host: 'db', database: 'd', user: 'u', password: 'p' }), encode({ host: 'db2', database: 'd', user: 'u', password: 'p2', port: '1' }), undefined],
  admin: [encode({ password: 'one' }), encode({ password: 'two' }), encode({ other: 'x' }), undefined],
  s3: [encode({ accessKeyId: 'a', secretAccessKey: 's' }), encode({ accessKeyId: 'a', secretAccessKey: 't', endpoint: 'https://s3.example.com' }), undefined],
  jwt: [encode({ key: 'k'.repeat(40) }), encode({ key: 'l'.repeat(40) }), undefined],
  unused: [encode({ a: '1' }), encode({ a: '2' }), undefined],
}

export const secretNames = Object.keys(secrets)

export const dittoServer = (name: string, spec: Tree): Tree =>
  ({ apiVersion: modelKinds.dittoServer.apiVersion, kind: 'DittoServer', metadata: { name, namespace }, spec })

/** StorageClasses of volumes: another client creates `later` after the servers that name it. */
export const storageClass = (name: string, allowVolumeExpansion: boolean, isDefault = false): Tree => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name, ...(isDefault ? { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } : {}) },
  provisioner: 'example.com/volumes',
  allowVolumeExpansion,
})
