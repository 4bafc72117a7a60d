import t from 'tap'
import { exampleFacts, exampleServer } from '../../src/manifests/example-server.ts'
import type { Facts } from '../../src/rules/facts.ts'
import { judge, prepare, type Prepared, type Request } from '../../src/rules/judge.ts'
import { defaultPolicy, type Policy } from '../../src/rules/policy.ts'
import type { Example, Need } from '../../src/rules/rule.ts'
import { rules } from '../../src/rules/table.ts'

// Each rule on both sides of its boundary: which rule has a finding, at which field. `!`: it is an error.

type Case = readonly [what: string, spec: object, said: readonly string[], more?: {
  readonly before?: object
  readonly cluster?: Example['cluster']
  readonly name?: string
}]

const storageClasses = [{ name: 'standard', isDefault: true, allowVolumeExpansion: true }, { name: 'fixed', isDefault: false, allowVolumeExpansion: false }]
const usual = { storageClasses, percona: '2.9.0' }
const percona = (fields: object = {}) => ({ percona: { enabled: true, ...fields } })
const off = (fields: object) => ({ percona: { enabled: false, ...fields } })
const external = (ref: object = {}) => ({ database: { type: 'postgres', postgresSecretRef: { name: 'pg', key: 'url', ...ref } } })
const pg = { ...usual, secrets: { pg: { url: 40 }, 'pg-2': { url: 40 } } }
const storage = (fields: object) => ({ storage: fields })
const backup = (fields: object = {}) =>
  percona({ backup: { enabled: true, bucket: 'b', endpoint: 'https://s3', credentialsSecretRef: { name: 'pgb' }, ...fields } })
const pgb = { ...usual, secrets: { pgb: { 's3.conf': 9 } } }
const jwt = (fields: object) => ({ identity: { jwt: fields } })
const admin = (passwordSecretRef: object) => ({ identity: { admin: { passwordSecretRef } } })
const s3 = (fields: object = {}) => ({ s3: { credentialsSecretRef: { secretName: 'creds', ...fields } } })
const secret = (name: string, lengths: Readonly<Record<string, number>>) => ({ cluster: { ...usual, secrets: { [name]: lengths } } })
const resources = (fields: object) => ({ resources: fields })
const container = (fields: object) => ({ securityContext: fields })
const pod = (fields: object) => ({ podSecurityContext: fields })
const profile = (type: string, localhostProfile?: string) => ({ type, ...(localhostProfile === undefined ? {} : { localhostProfile }) })
const annotations = (given: object) => ({ service: { annotations: given } })
const shares = '!SC-CHANGE spec.storage.storageClassName'

const cases: Readonly<Record<string, readonly Case[]>> = {
  sizes: [
    ['zero', storage({ metadataSize: '0Gi', cacheSize: '00Mi', controlPlaneSize: '0Ti', contentSize: '0Gi' }), [
      '!SIZE-ZERO spec.storage.metadataSize', '!SIZE-ZERO spec.storage.cacheSize', '!SIZE-ZERO spec.storage.controlPlaneSize', '!SIZE-ZERO spec.storage.contentSize',
    ]],
    ['what only resembles zero', storage({ metadataSize: '0G', cacheSize: '0Gi ', controlPlaneSize: ' 0Gi', contentSize: '0.0Gi' }), [
      '!SCHEMA spec.storage.metadataSize', '!SCHEMA spec.storage.cacheSize', '!SCHEMA spec.storage.controlPlaneSize', '!SCHEMA spec.storage.contentSize',
    ]],
    ['zero elsewhere', percona({ storageSize: '0Gi' }), ['!PG-SIZE-QTY spec.percona.storageSize']],
    ['the least', storage({ metadataSize: '1Mi', cacheSize: '1Gi' }), []],
    ['none', storage({ metadataSize: '' }), ['!STOR-META-REQ spec.storage.metadataSize']],
    ['an empty one of the cache', storage({ cacheSize: '' }), ['!STOR-CACHE-REQ spec.storage.cacheSize']],
    ['of another type', storage({ metadataSize: 5, cacheSize: 5 }), ['!SCHEMA spec.storage.metadataSize', '!SCHEMA spec.storage.cacheSize']],
  ],
  resizing: [
    ['each shrinks', storage({ metadataSize: '9Gi', contentSize: '9Gi', cacheSize: '4Gi', controlPlaneSize: '1023Mi' }), [
      '!STOR-SHRINK spec.storage.metadataSize', '!STOR-SHRINK spec.storage.contentSize', '!STOR-SHRINK spec.storage.cacheSize', '!STOR-SHRINK spec.storage.controlPlaneSize',
    ], { before: storage({ contentSize: '10Gi' }) }],
    ['another spelling', storage({ metadataSize: '10240Mi' }), [], { before: {} }],
    ['shrinks, whatever the database', { ...percona(), ...storage({ metadataSize: '9Gi' }) }, ['!STOR-SHRINK spec.storage.metadataSize'], { before: percona() }],
    ['each grows', storage({ metadataSize: '11Gi', contentSize: '11Gi', cacheSize: '6Gi', controlPlaneSize: '2Gi', storageClassName: 'fixed' }), [
      '!SC-NO-EXPAND spec.storage.metadataSize', '!SC-NO-EXPAND spec.storage.contentSize', '!SC-NO-EXPAND spec.storage.cacheSize', '!SC-NO-EXPAND spec.storage.controlPlaneSize',
    ], { before: storage({ contentSize: '10Gi', storageClassName: 'fixed' }) }],
    ['each grows, and may', storage({ metadataSize: '11Gi', cacheSize: '6Gi', storageClassName: 'standard' }), [], { before: storage({ storageClassName: 'standard' }) }],
    ['each grows with the default class, and may', storage({ metadataSize: '11Gi' }), [], { before: {} }],
    ['without a default class', storage({ metadataSize: '11Gi' }), [], { before: {}, cluster: { storageClasses: [storageClasses[1]!] } }],
    ['the volume of SQLite, which another database has not', { ...external(), ...storage({ controlPlaneSize: '1Mi' }) }, [], { before: external(), cluster: pg }],
    ['content comes', storage({ contentSize: '1Gi' }), ['!STOR-IMMUTABLE spec.storage.contentSize'], { before: {} }],
    ['content goes', {}, ['!STOR-IMMUTABLE spec.storage.contentSize'], { before: storage({ contentSize: '1Gi' }) }],
    ['a class comes', storage({ storageClassName: 'standard' }), [shares], { before: {} }],
    ['a class goes', {}, [shares], { before: storage({ storageClassName: 'standard' }) }],
    ['no class instead of the default', storage({ storageClassName: '' }), [shares], { before: {} }],
  ],
  classes: [
    ['one that is not there', storage({ storageClassName: 'gone' }), ['!SC-MISSING spec.storage.storageClassName']],
    ['none, by choice', storage({ storageClassName: '' }), []],
    ['of PostgreSQL', percona({ storageClassName: 'gone' }), ['!PG-SC-MISSING spec.percona.storageClassName']],
    ['of PostgreSQL, none', percona({ storageClassName: '' }), []],
    ['of a PostgreSQL that is off', off({ storageClassName: 'gone' }), []],
    ['no default', {}, ['SC-NO-DEFAULT spec.storage.storageClassName'], { cluster: { storageClasses: [] } }],
    ['no default, twice', percona(), ['SC-NO-DEFAULT spec.storage.storageClassName', 'SC-NO-DEFAULT spec.percona.storageClassName'], { cluster: { ...usual, storageClasses: [] } }],
    ['no default, and none wanted', { ...percona({ storageClassName: '' }), ...storage({ storageClassName: '' }) }, [], { cluster: { ...usual, storageClasses: [] } }],
    ['a default that goes later', {}, [], { before: { nfsPort: 2049 }, cluster: { storageClasses: [] } }],
  ],
  'the database': [
    ['a type without a reference', { database: { type: 'postgres' } }, ['!DB-PG-NOREF spec.database.postgresSecretRef']],
    ['a type without a reference, and Percona', { ...percona(), database: { type: 'postgres' } }, []],
    ['a reference without its type', { database: { postgresSecretRef: { name: 'pg', key: 'url' } } }, ['DB-TYPE-IGNORED spec.database.type'], { cluster: pg }],
    ['a reference with its type', external(), [], { cluster: pg }],
    ['a reference and a type that is none', { database: { type: 'mysql', postgresSecretRef: { name: 'pg', key: 'url' } } }, ['!SCHEMA spec.database.type'], { cluster: pg }],
    ['a reference, and Percona', { ...percona(), ...external() }, ['PG-OVER-EXTERNAL spec.database.postgresSecretRef']],
    ['a reference without a name', external({ name: '' }), ['!SECRET-REF-REQ spec.database.postgresSecretRef.name']],
    ['from SQLite', external(), ['!DB-TYPE-CHANGE spec.database'], { before: {}, cluster: pg }],
    ['to SQLite', {}, ['!DB-TYPE-CHANGE spec.database'], { before: external() }],
    ['to Percona', percona(), ['!DB-TYPE-CHANGE spec.database'], { before: {} }],
    ['from Percona', {}, ['!PG-DISABLE spec.percona.enabled'], { before: percona() }],
    ['another key', external({ key: 'uri' }), ['DB-SECRET-CHANGE spec.database.postgresSecretRef.key'], { before: external(), cluster: { ...usual, secrets: { pg: { uri: 40 } } } }],
    ['another Secret', external({ name: 'pg-2' }), ['DB-SECRET-CHANGE spec.database.postgresSecretRef.name'], { before: external(), cluster: pg }],
    ['another Secret, unused', { ...percona(), ...external({ name: 'pg-2' }) }, ['PG-OVER-EXTERNAL spec.database.postgresSecretRef'], { before: { ...percona(), ...external() }, cluster: pg }],
    ['another Secret, and Percona instead', { ...percona(), ...external({ name: 'pg-2' }) }, [
      '!DB-TYPE-CHANGE spec.database', 'PG-OVER-EXTERNAL spec.database.postgresSecretRef',
    ], { before: external(), cluster: pg }],
    ['the same Secret', { ...external(), nfsPort: 2049 }, [], { before: external(), cluster: pg }],
    ['no Secret', external(), ['DB-SECRET-MISSING spec.database.postgresSecretRef.name']],
    ['an empty key', external(), ['DB-SECRET-MISSING spec.database.postgresSecretRef.key'], secret('pg', { url: 0 })],
    ['parts', external(), [], secret('pg', { host: 1, database: 1, user: 1, password: 1 })],
    ['all parts but one', external(), ['DB-SECRET-MISSING spec.database.postgresSecretRef.key'], secret('pg', { host: 1, database: 1, user: 1, password: 0 })],
    ['another Secret, and no more Percona', external({ name: 'pg-2' }), ['!PG-DISABLE spec.percona.enabled'], { before: { ...percona(), ...external() }, cluster: pg }],
    ['a path, unused', { ...external(), database: { ...external().database, sqlite: { path: '/x/' } } }, [], { before: external(), cluster: pg }],
  ],
  paths: [
    ['on no volume', { cache: { path: '/data/cachet' } }, ['PATH-NOT-MOUNTED spec.cache.path']],
    ['a volume itself', { cache: { path: '/data/cache/' } }, []],
    ['below a volume', { cache: { path: '/data/metadata/a' } }, []],
    ['on content that is not there', { cache: { path: '/data/content/a' } }, ['PATH-NOT-MOUNTED spec.cache.path']],
    ['on content', { cache: { path: '/data/content/a' }, ...storage({ contentSize: '1Gi' }) }, []],
    ['relative', { cache: { path: 'data/cache/a' } }, []],
    ['SQLite on no volume', { database: { sqlite: { path: '/tmp/a.db' } } }, ['PATH-NOT-MOUNTED spec.database.sqlite.path']],
    ['SQLite in a folder of its own', { database: { sqlite: { path: '/data/controlplane/x/a.db' } } }, []],
    ['SQLite on a folder', { database: { sqlite: { path: '/data/metadata' } } }, ['DB-PATH-FOLDER spec.database.sqlite.path']],
    ['SQLite on a folder by its slash', { database: { sqlite: { path: '/data/metadata/a/' } } }, ['DB-PATH-FOLDER spec.database.sqlite.path']],
    ['the volume of SQLite, which Percona has not', { ...percona(), cache: { path: '/data/controlplane/a' } }, ['PATH-NOT-MOUNTED spec.cache.path']],
    ['the cache fills its volume', { cache: { size: '5GiB' } }, []],
    ['the cache is larger than its volume', { cache: { size: '5.1GiB' } }, ['CACHE-EXCEEDS-PVC spec.cache.size']],
    ['no size', { cache: { size: '5 gigabytes' } }, ['!CACHE-SIZE-SYNTAX spec.cache.size']],
    ['no text', { cache: { size: 5 } }, ['!SCHEMA spec.cache.size']],
    ['the volume of the cache has no size', { ...storage({ cacheSize: 'x' }), cache: { size: '10GB' }, nfsPort: 0 }, [
      '!SCHEMA spec.storage.cacheSize', '!PORT-RANGE-NFS spec.nfsPort',
    ]],
  ],
  ports: [
    ['the least', { nfsPort: 1, controlPlane: { port: 1024 } }, ['PORT-PRIV spec.nfsPort']],
    ['privileged', { controlPlane: { port: 1023 }, smb: { enabled: true, port: 445 }, metrics: { enabled: true, port: 99 } }, [
      'PORT-PRIV spec.controlPlane.port', 'PORT-PRIV spec.smb.port', 'PORT-PRIV spec.metrics.port',
    ]],
    ['off', { smb: { port: 445 }, metrics: { port: 99 } }, []],
    ['the most', { nfsPort: 65535 }, []],
    ['too high', { nfsPort: 65536, controlPlane: { port: 65536 }, smb: { port: 65536 }, metrics: { port: 65536 } }, [
      '!PORT-RANGE-NFS spec.nfsPort', '!PORT-RANGE-API spec.controlPlane.port', '!PORT-RANGE-SMB spec.smb.port', '!PORT-RANGE-METRICS spec.metrics.port',
    ]],
    ['too low', { nfsPort: 0 }, ['!PORT-RANGE-NFS spec.nfsPort']],
    ['none', { nfsPort: '1' }, ['!SCHEMA spec.nfsPort']],
  ],
  tokens: [
    ['the least', jwt({ accessTokenDuration: '1ns', refreshTokenDuration: '1ns' }), []],
    ['zero', jwt({ accessTokenDuration: '0s', refreshTokenDuration: '0h' }), ['!DUR-INVALID spec.identity.jwt.accessTokenDuration', '!DUR-INVALID spec.identity.jwt.refreshTokenDuration']],
    ['no duration', jwt({ refreshTokenDuration: '1d' }), ['!DUR-INVALID spec.identity.jwt.refreshTokenDuration']],
    ['too long for Go', jwt({ refreshTokenDuration: '9999999h' }), ['!DUR-INVALID spec.identity.jwt.refreshTokenDuration']],
    ['no text', jwt({ refreshTokenDuration: 5 }), ['!SCHEMA spec.identity.jwt.refreshTokenDuration']],
    ['both the same', jwt({ accessTokenDuration: '1h', refreshTokenDuration: '60m' }), []],
    ['refresh first', jwt({ accessTokenDuration: '1h', refreshTokenDuration: '59m' }), ['DUR-ORDER spec.identity.jwt.refreshTokenDuration']],
    ['a signing key', jwt({ secretRef: { name: 'keys', key: 'k' } }), [], secret('keys', { k: 32 })],
    ['a short one', jwt({ secretRef: { name: 'keys', key: 'k' } }), ['JWT-SECRET-SHORT spec.identity.jwt.secretRef.key'], secret('keys', { k: 31 })],
    ['an empty one', jwt({ secretRef: { name: 'keys', key: 'k' } }), ['JWT-SECRET-MISSING spec.identity.jwt.secretRef.key'], secret('keys', { k: 0 })],
    ['another key', jwt({ secretRef: { name: 'keys', key: 'k' } }), ['JWT-SECRET-MISSING spec.identity.jwt.secretRef.key'], secret('keys', { j: 40 })],
    ['no Secret', jwt({ secretRef: { name: 'keys', key: 'k' } }), ['JWT-SECRET-MISSING spec.identity.jwt.secretRef.name']],
    ['no name', jwt({ secretRef: { key: 'k' } }), []],
    ['no name and no key', jwt({ secretRef: { key: '' } }), []],
    ['a name and an empty key', jwt({ secretRef: { name: 'keys', key: '' } }), ['!JWT-KEY-REQ spec.identity.jwt.secretRef.key'], secret('keys', { '': 40 })],
    ['a name and no key', jwt({ secretRef: { name: 'keys' } }), ['!JWT-KEY-REQ spec.identity.jwt.secretRef.key'], secret('keys', { key: 40 })],
    ['a key that cannot be', jwt({ secretRef: { name: 'keys', key: '/' } }), ['!SCHEMA spec.identity.jwt.secretRef.key'], secret('keys', { key: 40 })],
    ['a password', admin({ name: 'admin', key: 'p' }), [], secret('admin', { p: 1 })],
    ['no password', admin({ name: 'admin', key: 'p' }), ['ADMIN-SECRET-MISSING spec.identity.admin.passwordSecretRef.key'], secret('admin', { q: 1 })],
    ['no Secret for it', admin({ name: 'admin', key: 'p' }), ['ADMIN-SECRET-MISSING spec.identity.admin.passwordSecretRef.name']],
    ['neither named', admin({ key: '' }), ['!SECRET-REF-REQ spec.identity.admin.passwordSecretRef.name', '!SECRET-REF-REQ spec.identity.admin.passwordSecretRef.key']],
  ],
  S3: [
    ['both keys', s3(), [], secret('creds', { accessKeyId: 1, secretAccessKey: 1 })],
    ['neither key', s3(), ['S3-KEY-ACCESS spec.s3.credentialsSecretRef.accessKeyIdKey', 'S3-KEY-SECRET spec.s3.credentialsSecretRef.secretAccessKeyKey'], secret('creds', {})],
    ['keys of other names', s3({ accessKeyIdKey: 'id', secretAccessKeyKey: 'key' }), [], secret('creds', { id: 1, key: 1 })],
    ['no Secret', s3(), ['S3-SECRET-MISSING spec.s3.credentialsSecretRef.secretName']],
    ['no name', s3({ secretName: '' }), ['!S3-NAME-REQ spec.s3.credentialsSecretRef.secretName']],
  ],
  Percona: [
    ['not installed', percona(), ['!PG-CRD-MISSING spec.percona.enabled'], { cluster: { storageClasses } }],
    ['not installed, nor wanted', off({ deleteWithServer: true, postgresVersion: 18, backup: { enabled: true } }), [], { cluster: { storageClasses } }],
    ['deleted with the server', percona({ deleteWithServer: true }), ['PG-DELETE-DATA spec.percona.deleteWithServer']],
    ['of an unknown version', percona(), ['PG-OPERATOR-VERSION spec.percona'], { cluster: { ...usual, percona: '2.5.0' } }],
    ['a size of another type', percona({ storageSize: 5 }), ['!SCHEMA spec.percona.storageSize']],
    ['a name of 63 bytes', percona({ databaseName: 'x'.repeat(63) }), []],
    ['a name of 64 bytes', percona({ databaseName: 'é'.repeat(32) }), ['!PG-DBNAME spec.percona.databaseName']],
    ['a name of 64 characters', percona({ databaseName: 'x'.repeat(64) }), ['!PG-DBNAME spec.percona.databaseName']],
    ['no name', percona({ databaseName: '' }), ['!PG-DBNAME spec.percona.databaseName']],
    ['a name of another type', percona({ databaseName: 5 }), ['!SCHEMA spec.percona.databaseName']],
    ['another name', percona({ databaseName: 'b' }), ['!PG-FROZEN spec.percona.databaseName'], { before: percona() }],
    ['another name, at last', percona({ databaseName: 'b' }), [], { before: percona({ databaseName: 'é'.repeat(32) }) }],
    ['another name of 63 bytes', percona({ databaseName: 'b' }), ['!PG-FROZEN spec.percona.databaseName'], { before: percona({ databaseName: 'x'.repeat(63) }) }],
    ['another name while off', off({ databaseName: 'b' }), [], { before: off({}) }],
    ['another class', percona({ storageClassName: 'standard' }), ['!PG-FROZEN spec.percona.storageClassName'], { before: percona() }],
    ['smaller', percona({ storageSize: '9Gi' }), ['!PG-SHRINK spec.percona.storageSize'], { before: percona() }],
    ['as large', percona({ storageSize: '10240Mi' }), [], { before: percona() }],
    ['larger', percona({ storageSize: '11Gi' }), [], { before: percona() }],
    ['larger, and may not', percona({ storageSize: '11Gi', storageClassName: 'fixed' }), ['!SC-NO-EXPAND spec.percona.storageSize'], { before: percona({ storageClassName: 'fixed' }) }],
    ['larger, without a class', percona({ storageSize: '11Gi', storageClassName: '' }), ['!SC-NONE-GROW spec.percona.storageSize'], { before: percona({ storageClassName: '' }) }],
    ['as large, and may not grow', percona({ replicas: 2, storageClassName: 'fixed' }), [], { before: percona({ storageClassName: 'fixed' }) }],
    ['another name, and off', off({ databaseName: 'b', storageSize: '9Gi' }), ['!PG-DISABLE spec.percona.enabled'], { before: percona() }],
    ['another name, and on', percona({ databaseName: 'b', storageSize: '9Gi' }), ['!DB-TYPE-CHANGE spec.database'], { before: off({}) }],
    ['smaller while off', off({ storageSize: '9Gi' }), [], { before: off({}) }],
    ['larger, without a class, and off', off({ storageSize: '11Gi', storageClassName: '' }), ['!PG-DISABLE spec.percona.enabled'], {
      before: percona({ storageClassName: '' }),
    }],
    ['larger while off', off({ storageSize: '11Gi', storageClassName: '' }), [], { before: off({ storageClassName: '' }) }],
    ['a version that no operator has', percona({ postgresVersion: 11 }), ['!PG-VERSION spec.percona.postgresVersion']],
    ['a version that this operator has', percona({ postgresVersion: 17 }), []],
    ['a version, and no operator', percona({ postgresVersion: 17 }), ['!PG-CRD-MISSING spec.percona.enabled'], { cluster: { storageClasses } }],
    ['a version that this operator has not', percona({ postgresVersion: 18 }), ['!PG-VERSION-OPERATOR spec.percona.postgresVersion'], { cluster: { ...usual, percona: '2.8.2' } }],
    ['a version that the cluster has', percona({ postgresVersion: 18 }), [], { cluster: { ...usual, percona: '2.8.2', perconaClusters: { 'demo-postgres': 18 } } }],
    ['another than the cluster has', percona({ postgresVersion: 17 }), ['!PG-VERSION-CHANGE spec.percona.postgresVersion'], { cluster: { ...usual, perconaClusters: { 'demo-postgres': 16 } } }],
  ],
  backups: [
    ['whole', backup(), [], { cluster: pgb }],
    ['no bucket', backup({ bucket: '' }), ['!PGB-BUCKET-REQ spec.percona.backup.bucket'], { cluster: pgb }],
    ['no endpoint', backup({ endpoint: '' }), ['!PGB-ENDPOINT-REQ spec.percona.backup.endpoint'], { cluster: pgb }],
    ['on at last, and no bucket', backup({ bucket: '' }), ['!PGB-BUCKET-REQ spec.percona.backup.bucket'], { before: backup({ enabled: false, bucket: '' }), cluster: pgb }],
    ['off', backup({ enabled: false, bucket: '', credentialsSecretRef: { name: '' } }), []],
    ['no credentials', backup({ credentialsSecretRef: { name: '' } }), ['PGB-CREDS-UNSET spec.percona.backup.credentialsSecretRef']],
    ['no Secret', backup(), ['PGB-CREDS-MISSING spec.percona.backup.credentialsSecretRef.name']],
    ['no file', backup(), ['PGB-CREDS-NO-CONF spec.percona.backup.credentialsSecretRef.name'], secret('pgb', { 's3.config': 9, conf: 9 })],
    ['one file of two', backup(), [], secret('pgb', { 's3.conf': 9, key: 9 })],
    ['no schedule', backup({ fullSchedule: 'daily', incrSchedule: '60 * * * *' }), [
      '!PGB-CRON spec.percona.backup.fullSchedule', '!PGB-CRON spec.percona.backup.incrSchedule',
    ], { cluster: pgb }],
    ['a schedule of another type', backup({ fullSchedule: 5 }), ['!SCHEMA spec.percona.backup.fullSchedule'], { cluster: pgb }],
  ],
  resources: [
    ['standard ones', resources({ limits: { cpu: 2, memory: '1Gi', 'ephemeral-storage': '1Gi' }, requests: { cpu: '2', memory: '1024Mi', 'ephemeral-storage': '1Mi' } }), []],
    ['a request alone', resources({ requests: { cpu: 1 } }), []],
    ['a request above its limit', resources({ limits: { memory: '1Gi' }, requests: { memory: '1025Mi' } }), ["!RES-LIMIT spec.resources.requests['memory']"]],
    ['unknown ones', resources({ limits: { disk: 1 }, requests: { disk: 1 } }), ['!RES-NAME spec.resources.limits', '!RES-NAME spec.resources.requests']],
    ['a device', resources({ limits: { 'a.b/gpu': '1' }, requests: { 'a.b/gpu': 1 } }), []],
    ['half a device', resources({ limits: { 'a.b/gpu': '500m' } }), ["!RES-WHOLE spec.resources.limits['a.b/gpu']"]],
    ['a device with a unit', resources({ limits: { 'a.b/gpu': '1k' }, requests: { 'a.b/gpu': '1k' } }), ["!RES-WHOLE spec.resources.limits['a.b/gpu']", "!RES-WHOLE spec.resources.requests['a.b/gpu']"]],
    ['a device without a limit', resources({ requests: { 'a.b/gpu': 1 } }), ["!RES-LIMIT spec.resources.requests['a.b/gpu']"]],
    ['fewer devices than the limit', resources({ limits: { 'a.b/gpu': 2 }, requests: { 'a.b/gpu': 1 } }), ["!RES-LIMIT spec.resources.requests['a.b/gpu']"]],
    ['huge pages', resources({ limits: { 'hugepages-2Mi': '4Mi', cpu: 1 } }), []],
    ['huge pages and memory', resources({ limits: { 'hugepages-2Mi': '4Mi' }, requests: { memory: '1Gi', 'hugepages-2Mi': '4Mi' } }), []],
    ['huge pages in part', resources({ limits: { 'hugepages-2Mi': '3Mi', cpu: 1 } }), ["!RES-HUGEPAGES spec.resources.limits['hugepages-2Mi']"]],
    ['huge pages alone', resources({ limits: { 'hugepages-2Mi': '4Mi', 'ephemeral-storage': '1Gi' } }), ['!RES-HUGEPAGES spec.resources']],
  ],
  'security contexts': [
    ['privileged', container({ privileged: true }), []],
    ['privileged, without escalation', container({ privileged: true, allowPrivilegeEscalation: false }), ['!SEC-PRIVILEGED spec.securityContext.allowPrivilegeEscalation']],
    ['privileged, without escalation, after something that was none', container({ privileged: true, allowPrivilegeEscalation: false }), [
      '!SEC-PRIVILEGED spec.securityContext.allowPrivilegeEscalation',
    ], { before: container({ privileged: 'yes' }) }],
    ['without escalation', container({ privileged: false, allowPrivilegeEscalation: false }), []],
    ['root', container({ runAsUser: 0 }), ['!SEC-ROOT spec.securityContext.runAsUser']],
    ['root of the pod', pod({ runAsUser: 0 }), ['!SEC-ROOT spec.podSecurityContext.runAsUser']],
    ['root of the pod, not of the container', { ...pod({ runAsUser: 0 }), ...container({ runAsUser: 1 }) }, []],
    ['root on purpose', container({ runAsUser: 0, runAsNonRoot: false }), []],
    ['root against one\'s word', container({ runAsUser: 0, runAsNonRoot: true }), ['!SEC-ROOT spec.securityContext.runAsUser']],
    ['a user', { ...container({ runAsNonRoot: true }), ...pod({ runAsUser: 1 }) }, []],
    ...(['securityContext', 'podSecurityContext'] as const).flatMap((context): Case[] => [
      [`${context}: profiles`, { [context]: { seccompProfile: profile('Localhost', 'a/b.json'), appArmorProfile: profile('Localhost', 'a b') } }, []],
      [`${context}: others`, { [context]: { seccompProfile: profile('Unconfined'), appArmorProfile: profile('RuntimeDefault') } }, []],
      [`${context}: none named`, { [context]: { seccompProfile: profile('Localhost'), appArmorProfile: profile('Localhost') } }, [
        `!SEC-PROFILE spec.${context}.seccompProfile.localhostProfile`, `!SEC-PROFILE spec.${context}.appArmorProfile.localhostProfile`,
      ]],
      [`${context}: of another type`, { [context]: { seccompProfile: profile('Unconfined', 'a') } }, [`!SEC-PROFILE spec.${context}.seccompProfile.localhostProfile`]],
      [`${context}: impossible`, { [context]: { seccompProfile: profile('Localhost', '/a'), appArmorProfile: profile('Localhost', ' a') } }, [
        `!SEC-PROFILE spec.${context}.seccompProfile.localhostProfile`, `!SEC-PROFILE spec.${context}.appArmorProfile.localhostProfile`,
      ]],
    ]),
  ],
  annotations: [
    ['good', annotations({ [`${'a'.repeat(253)}/${'b'.repeat(63)}`]: '', c: '' }), []],
    ['too long a domain', annotations({ [`${'a'.repeat(254)}/b`]: '' }), ['!SVC-ANNOTATION spec.service.annotations']],
    ['too long a name', annotations({ ['b'.repeat(64)]: '' }), ['!SVC-ANNOTATION spec.service.annotations']],
    ['as much as there may be', annotations({ a: 'x'.repeat(255_999) }), []],
    ['too much', annotations({ a: 'x'.repeat(127_999), b: 'é'.repeat(64_000) }), ['!SVC-ANNOTATION spec.service.annotations']],
  ],
  names: [
    ['the longest', {}, [], { name: 'a'.repeat(52) }],
    ['too long', {}, ['!NAME-FORMAT metadata.name'], { name: 'a'.repeat(53) }],
    ['a digit first', {}, ['!NAME-FORMAT metadata.name'], { name: '1a' }],
    ['a dash last', {}, ['!NAME-FORMAT metadata.name'], { name: 'a-' }],
    ['none', {}, ['!NAME-FORMAT metadata.name'], { name: '' }],
  ],
  'what has no effect': [
    ['one', { smb: { maxConnections: 5 } }, ['NO-EFFECT spec.smb.maxConnections']],
    ['one beside a mistake', { smb: { maxConnections: 5 }, nfsPort: 0 }, ['NO-EFFECT spec.smb.maxConnections', '!PORT-RANGE-NFS spec.nfsPort']],
    ['its default', { smb: { maxConnections: 0, timeouts: { read: '5m' } } }, []],
    ['a section', container({ windowsOptions: { hostProcess: true } }), ['NO-EFFECT spec.securityContext.windowsOptions']],
    ['for the reader', { s3: { bucket: 'b' } }, []],
  ],
}

/** The facts of a cluster; using a fact that no rule has declared is an error. */
function announced ({ needs }: Prepared, cluster: Example['cluster']): Facts {
  const facts = exampleFacts(cluster)
  const check = (kind: Need['kind'], name?: string) => {
    if (!needs.some(need => need.kind === kind && ('name' in need ? need.name : undefined) === name)) throw new Error(`nobody needs ${kind} ${name ?? ''}`)
  }
  return {
    storageClass: name => { check('StorageClass', name); return facts.storageClass(name) },
    storageClasses: () => { check('StorageClasses'); return facts.storageClasses() },
    secret: name => { check('Secret', name); return facts.secret(name) },
    perconaServed: () => { check('PerconaCRD'); return facts.perconaServed() },
    perconaOperator: () => { check('PerconaOperator'); return facts.perconaOperator() },
    perconaCluster: name => { check('PerconaCluster', name); return facts.perconaCluster(name) },
  }
}

function verdict (request: Request, cluster: Example['cluster'], policy = defaultPolicy): readonly string[] {
  const prepared = prepare(request, policy)
  const { errors, warnings } = judge(prepared, announced(prepared, cluster))
  return [...errors, ...warnings].map(({ severity, rule, field }) => `${severity === 'deny' ? '!' : ''}${rule} ${field}`).toSorted()
}

for (const [group, table] of Object.entries(cases)) {
  t.test(group, async t => {
    for (const [what, spec, said, { before, cluster = usual, name } = {}] of table) {
      const object = exampleServer(spec, name)
      const operation = before ? 'UPDATE' : 'CREATE'
      const request = { operation, object, ...(before ? { oldObject: exampleServer(before) } : {}) } as const
      t.strictSame(verdict(request, cluster), said.toSorted(), what)
    }
  })
}

const onlyOnCreate = new Set(rules.filter(({ operations }) => operations?.includes('UPDATE') === false).map(({ id }) => id))
const strict: Policy = () => 'deny'

t.test('an error in a new object is also an error in a change of that field, but not in other changes', async t => {
  for (const [what, spec, , { before, cluster = usual, name } = {}] of Object.values(cases).flat()) {
    if (before || name !== undefined) continue
    const object = exampleServer(spec)
    const created = verdict({ operation: 'CREATE', object }, cluster, strict)
    const changed = verdict({ operation: 'UPDATE', object, oldObject: exampleServer() }, cluster, strict)
    t.strictSame(created.filter(found => !changed.includes(found) && !onlyOnCreate.has(found.slice(1).split(' ')[0] ?? '')), [], what)
    const elsewhere = verdict({ operation: 'UPDATE', object: { ...object, spec: { ...object.spec as object, image: 'example.com/a:1' } }, oldObject: object }, cluster, strict)
    t.strictSame(elsewhere.filter(found => found.startsWith('!')), [], what)
  }
})

t.test('in a dry run, errors that depend on other objects are only warnings', async t => {
  for (const { restsOnCluster, example: { spec, oldSpec, cluster } } of rules) {
    if (!restsOnCluster) continue
    const request = { operation: oldSpec ? 'UPDATE' : 'CREATE', object: exampleServer(spec), oldObject: exampleServer(oldSpec) } as const
    t.equal(verdict(request, cluster).filter(found => found.startsWith('!')).length, 1)
    t.strictSame(verdict({ ...request, dryRun: true }, cluster).filter(found => found.startsWith('!')), [])
  }
  t.strictSame(rules.flatMap(({ id, restsOnCluster }) => restsOnCluster ? [id] : []).toSorted(), ['PG-CRD-MISSING', 'PG-SC-MISSING', 'SC-MISSING', 'SC-NO-EXPAND'])
})
