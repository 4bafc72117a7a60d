import type { Static } from 'typebox'
import { alternatives, defaultPostgresVersion, postgresVersions } from '../percona/releases.ts'
import * as pattern from './patterns.ts'
import { podSecurityContext, resourceRequirements, securityContext } from './pod-fields.ts'
import { choice, flag, int32, int64, list, maybe, record, section, stringMap, text } from './schema-kit.ts'
import type { StructuralSchema } from './structural.ts'

/**
 * The definition of a DittoServer. Types, validators, defaults, the CustomResourceDefinition and its reference page are derived from it. A
 * field with a default always exists after `effective()`; `maybe()` marks optional fields.
 */

const nameHint = (what: string) => `the name of ${what}: lower-case letters, digits, '-' and '.'`

export const volumeSizeSyntax = { pattern: pattern.volumeSize, maxLength: 20 } as const

const size = (description: string, options: { default?: string, change?: 'grow' | 'fixed', example?: string, listedRequired?: boolean }) =>
  text(`${description} In Mi, Gi or Ti.`, { ...volumeSizeSyntax, hint: 'a whole number of Mi, Gi or Ti above zero, such as 10Gi', ...options })

export const storageClassSyntax = { pattern: pattern.optionalObjectName, maxLength: 253 } as const

const storageClassName = (description: string) => maybe(text(description, {
  ...storageClassSyntax, hint: nameHint('a StorageClass'), change: 'fixed', example: 'standard',
}))

const port = (description: string, defaultPort: number, change: 'live' | 'restart') =>
  int32(description, { default: defaultPort, minimum: 1, maximum: 65535, change })

const secretName = (description: string, options: object = {}) =>
  text(description, { pattern: pattern.optionalObjectName, hint: nameHint('a Secret'), maxLength: 253, change: 'restart', ...options })

const keyHint = "a key of a Secret: letters, digits, '-', '_' and '.'"

const secretKeySelector = (description: string, nameDescription = 'Name of the Secret, in the namespace of the DittoServer.') =>
  record(description, {
    name: secretName(nameDescription, { default: '' }),
    key: text('Key within the Secret.', { pattern: pattern.secretKey, hint: keyHint, maxLength: 253, change: 'restart', example: 'key' }),
    optional: maybe(flag('Accepted for compatibility.', { change: 'none' })),
  }, { 'x-kubernetes-map-type': 'atomic' })

const ineffective = 'No effect: the server does not read it.'

export const defaultCacheSize = '5Gi'

const storage = record('Volumes of the server.', {
  metadataSize: size('Size of the volume at `/data/metadata`.', { change: 'grow', example: '10Gi' }),
  contentSize: maybe(size('Size of the volume at `/data/content`. Absent: there is no such volume. It cannot be added or removed later.', {
    change: 'grow', example: '50Gi',
  })),
  cacheSize: size('Size of the volume at `/data/cache`, which holds the write-ahead log. The volume always exists.', {
    default: defaultCacheSize, change: 'grow', listedRequired: true,
  }),
  controlPlaneSize: size('Size of the volume at `/data/controlplane`, which holds the SQLite database. Only with SQLite.', {
    default: '1Gi', change: 'grow',
  }),
  storageClassName: storageClassName('StorageClass of every volume. Absent: the default class of the cluster. `""`: volumes without a class, bound manually.'),
})

const database = section('Database of the control plane. `percona.enabled` wins over `postgresSecretRef`, which wins over SQLite.', {
  type: choice('Only a hint: `postgresSecretRef` and `percona` decide.', ['sqlite', 'postgres'], { default: 'sqlite', change: 'fixed' }),
  sqlite: section('SQLite settings.', {
    path: text('Path of the database file in the container.', { default: '/data/controlplane/controlplane.db', maxLength: 4096, change: 'restart' }),
  }),
  postgresSecretRef: maybe(secretKeySelector(
    'Secret with the connection to an external PostgreSQL: either this key holds a `postgres://` URL, or the Secret holds the keys `host`, `database`, `user`, `password` and optionally `port` and `sslmode`.',
  )),
})

const cache = section('Write-ahead-log cache of the server. Newer servers keep it in memory and ignore this section.', {
  path: text('Directory of the cache in the container.', { default: '/data/cache', maxLength: 4096, change: 'restart' }),
  size: text('Size of the cache, in bytes with an optional unit: `1GB` is 10^9 bytes, `1GiB` is 2^30.', {
    default: '1GB', pattern: pattern.byteSize, hint: 'a number of bytes with an optional unit, such as 1GB or 512MiB', maxLength: 32, change: 'restart',
  }),
})

const duration = (description: string, defaultDuration: string) => text(`${description} As a Go duration: \`15m\`, \`1h30m\`; there is no unit \`d\`.`, {
  default: defaultDuration, pattern: pattern.goDuration, hint: 'a Go duration, such as 15m or 1h30m', maxLength: 32, change: 'restart',
})

const identity = section('Tokens and the administrator account.', {
  type: choice(ineffective, ['memory'], { default: 'memory', change: 'none' }),
  jwt: section('Tokens of the REST API.', {
    secretRef: maybe(secretKeySelector(
      'Secret with the signing key, at least 32 characters. Absent: the operator creates one.',
      'Name of the Secret, in the namespace of the DittoServer. Empty: the Secret that the operator creates.',
    )),
    accessTokenDuration: duration('How long an access token is valid.', '15m'),
    refreshTokenDuration: duration('How long a refresh token is valid.', '168h'),
    issuer: text(ineffective, { default: 'dittofs', change: 'none' }),
  }),
  admin: section('The first administrator.', {
    username: text(`${ineffective} The account is always \`admin\`.`, { default: 'admin', change: 'none' }),
    passwordSecretRef: maybe(secretKeySelector('Secret with the initial password, in clear text. Read when the account is created. Absent: the server generates a password and logs it.')),
  }),
})

const deadNumber = (defaultNumber: number, minimum = 1) => int32(ineffective, { default: defaultNumber, minimum, change: 'none' })
const deadText = (defaultText: string) => text(ineffective, { default: defaultText, change: 'none' })

const smb = section('SMB file service.', {
  enabled: flag('Offer SMB on the file Service.', { default: false, change: 'live' }),
  port: port('Port of SMB on the file Service. The server itself always listens on 1445.', 12445, 'live'),
  maxConnections: deadNumber(0, 0),
  maxRequestsPerConnection: deadNumber(100),
  metricsLogInterval: deadText('5m'),
  timeouts: section(ineffective, {
    read: deadText('5m'), write: deadText('30s'), idle: deadText('5m'), shutdown: deadText('30s'),
  }),
  credits: section(ineffective, {
    strategy: choice(ineffective, ['fixed', 'echo', 'adaptive'], { default: 'adaptive', change: 'none' }),
    minGrant: deadNumber(16),
    maxGrant: deadNumber(8192),
    initialGrant: deadNumber(256),
    maxSessionCredits: deadNumber(65535),
    loadThresholdHigh: deadNumber(1000),
    loadThresholdLow: deadNumber(100),
    aggressiveClientThreshold: deadNumber(256),
  }),
})

const dataKey = (description: string, defaultKey: string) => text(description, {
  default: defaultKey, pattern: pattern.secretKey, hint: keyHint, minLength: 1, maxLength: 253, change: 'restart',
})

const region = (change: 'live' | 'restart') => text('Region of the S3 service.', {
  default: 'eu-west-1', pattern: pattern.region, hint: 'a region, such as eu-west-1', maxLength: 64, change,
})

const s3 = section('S3 credentials, passed to the server as environment variables. Newer servers have credentials per store and ignore these.', {
  credentialsSecretRef: maybe(record('Secret with the credentials. Absent: nothing is passed to the server, not even the region.', {
    secretName: secretName('Name of the Secret, in the namespace of the DittoServer.', { minLength: 1, example: 's3-credentials' }),
    accessKeyIdKey: dataKey('Key of the access key id.', 'accessKeyId'),
    secretAccessKeyKey: dataKey('Key of the secret access key.', 'secretAccessKey'),
    endpointKey: dataKey('Key of the endpoint URL. Optional in the Secret.', 'endpoint'),
  })),
  region: region('restart'),
  bucket: maybe(text('For information only: buckets are set per store through the REST API.', { change: 'none' })),
})

const schedule = (description: string, defaultSchedule: string) => text(`${description} As a cron schedule of five fields, or a macro such as \`@daily\`.`, {
  default: defaultSchedule, pattern: pattern.cronSchedule, hint: 'a cron schedule of five fields, such as 0 2 * * *', minLength: 6, maxLength: 256, change: 'live',
})

const backup = section('Backups by pgBackRest to S3.', {
  enabled: flag('Create backups.', { default: false, change: 'live' }),
  credentialsSecretRef: maybe(record('Secret with pgBackRest configuration files: every key is a file name that ends in `.conf`.', {
    name: secretName('Name of the Secret, in the namespace of the DittoServer.', { default: '', change: 'live' }),
  }, { 'x-kubernetes-map-type': 'atomic' })),
  bucket: maybe(text('Bucket of the backups. Required when backups are enabled.', { maxLength: 255, change: 'live' })),
  endpoint: maybe(text('Endpoint of the S3 service, such as `https://s3.example.com`. Required when backups are enabled.', { change: 'live' })),
  region: region('live'),
  fullSchedule: schedule('When a full backup is created.', '0 2 * * *'),
  incrSchedule: schedule('When an incremental backup is created.', '0 * * * *'),
  retentionDays: int32('How long full backups are kept, in days.', { default: 7, minimum: 1, maximum: 9999999, change: 'live' }),
})

export const quantitySyntax = { pattern: pattern.positiveQuantity, maxLength: 64 } as const

/** PostgreSQL truncates longer identifiers. https://www.postgresql.org/docs/current/limits.html */
export const databaseNameSyntax = { minLength: 1, maxLength: 63 } as const
const imageSyntax = { pattern: pattern.image, hint: 'the name of an image, such as example.com/dittofs:v1', maxLength: 512 } as const

const perconaImage = (of: string) => maybe(text(`Image of ${of}.`, { ...imageSyntax, hint: 'the name of an image, such as example.com/postgres:17', change: 'live' }))

const percona = section('A PostgreSQL cluster for the control plane, run by the Percona operator.', {
  enabled: flag('Create the cluster and use it.', { default: false, change: 'fixed' }),
  deleteWithServer: flag('Delete the cluster, with its data, together with the DittoServer. Otherwise the cluster is kept.', { default: false, change: 'live' }),
  replicas: int32('Number of PostgreSQL instances.', { default: 1, minimum: 1, maximum: 5, change: 'live' }),
  storageSize: text('Size of the data volume of each instance, as a quantity.', {
    ...quantitySyntax, default: '10Gi', hint: 'a quantity above zero, such as 10Gi', change: 'grow',
  }),
  storageClassName: storageClassName('StorageClass of the data volumes; `storage.storageClassName` is not inherited. Absent: the default class of the cluster.'),
  databaseName: text('Name of the database of user `dittofs`.', { ...databaseNameSyntax, default: 'dittofs', change: 'fixed' }),
  postgresVersion: maybe(int32(
    `Major version of PostgreSQL: ${alternatives(postgresVersions)}, if the installed Percona operator supports it. Absent: ${defaultPostgresVersion} for a new cluster; an existing cluster keeps its version. Upgrade an existing cluster with a PerconaPGUpgrade.`,
    { change: 'fixed' },
  )),
  images: section('Images of the cluster, for use with a mirror. Absent: those of `docker.io/percona` for the version of the Percona operator.', {
    postgres: perconaImage('PostgreSQL, in the major version of the cluster'),
    pgBouncer: perconaImage('PgBouncer'),
    pgBackRest: perconaImage('pgBackRest'),
  }),
  pgBouncer: section('Connection pool in front of the cluster. The server itself connects to PostgreSQL directly.', {
    replicas: int32('Number of PgBouncer pods.', { default: 0, minimum: 0, maximum: 10, change: 'live' }),
  }),
  backup,
})

const spec = record('Desired state.', {
  image: text('Container image of the server. Empty: the default.', {
    ...imageSyntax, default: 'marmos91c/dittofs:latest', change: 'restart',
  }),
  replicas: int32('Number of servers: 1 runs, 0 stops. The server is a single node.', { default: 1, minimum: 0, maximum: 1, change: 'live' }),
  storage,
  database,
  cache,
  metrics: section('Prometheus endpoint of the server.', {
    enabled: flag('Serve metrics and create the metrics Service.', { default: false, change: 'restart' }),
    port: port('Port of the metrics, in the container and on the Service.', 9090, 'restart'),
  }),
  controlPlane: section('REST API of the server.', {
    port: port('Port of the REST API, in the container and on the Service.', 8080, 'restart'),
  }),
  identity,
  service: section('The file and API Services.', {
    type: choice('Type of both Services.', ['ClusterIP', 'NodePort', 'LoadBalancer'], { default: 'ClusterIP', change: 'live' }),
    annotations: maybe(stringMap('Annotations of both Services.', { change: 'live' })),
  }),
  nfsPort: port('Port of NFS on the file Service. The server itself always listens on 12049.', 12049, 'live'),
  smb,
  s3,
  percona,
  resources: resourceRequirements('Compute resources of the server container.'),
  securityContext: securityContext('Security context of the server container, merged over the defaults of the operator.'),
  podSecurityContext: podSecurityContext('Security context of the pod. Replaces the whole default of the operator.'),
})

const condition = record('One observation of the state.', {
  type: text('Type of the condition, in CamelCase.', { maxLength: 316, pattern: '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$' }),
  status: choice('Whether the condition holds.', ['True', 'False', 'Unknown']),
  observedGeneration: maybe(int64('Generation of the object that the condition describes.', { minimum: 0 })),
  lastTransitionTime: text('When `status` last changed.', { format: 'date-time', maxLength: 64 }),
  reason: text('Reason, in CamelCase.', { minLength: 1, maxLength: 1024, pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$' }),
  message: text('Explanation, and what to do.', { maxLength: 32768 }),
})

/** The databases that a server may use. */
export const backends = ['sqlite', 'external', 'percona'] as const
export const phases = ['Pending', 'Running', 'Failed', 'Stopped', 'Deleting'] as const

const status = record('Observed state. Written by the operator only.', {
  observedGeneration: maybe(int64('Generation of the object that this status describes.', { change: 'status' })),
  replicas: maybe(int32('Desired number of servers.', { change: 'status' })),
  readyReplicas: maybe(int32('Number of servers that are ready.', { change: 'status' })),
  availableReplicas: maybe(int32('Number of servers that are available.', { change: 'status' })),
  nfsEndpoint: maybe(text('Host name and port of NFS inside the cluster.', { change: 'status' })),
  phase: maybe(choice('Summary for `kubectl get`; programs read the conditions.', phases, { change: 'status' })),
  database: maybe(choice('The database of the server: a file of its own, an external PostgreSQL, or a PostgreSQL cluster of the Percona operator.', backends, { change: 'status' })),
  configHash: maybe(text('SHA-256 of the configuration and of the Secrets that the pod uses, in hexadecimal.', { change: 'status' })),
  perconaClusterName: maybe(text('Name of the PostgreSQL cluster.', { change: 'status' })),
  conditions: maybe(list('Conditions, one of each type.', condition, {
    'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'], maxItems: 32, change: 'status',
  })),
})

export const specSchema = spec as unknown as StructuralSchema
export const statusSchema = status as unknown as StructuralSchema

/** A spec with all defaults filled in. */
export type DittoServerSpec = Static<typeof spec>
export type DittoServerStatus = Static<typeof status>
export type Condition = Static<typeof condition>
export type SecretKeySelector = Static<ReturnType<typeof secretKeySelector>>
