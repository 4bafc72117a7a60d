import type { SchemaError } from '../dittoserver/schema-errors.ts'
import type { Example, Rule } from './rule.ts'

// Rules that the schema itself enforces, here and on the API server. They give schema errors an ID; `judge.ts` writes the messages.

interface SchemaRule { id: string, summary: string, claims: (error: SchemaError) => boolean, example: Example }

const schemaRule = (rule: SchemaRule): Rule => ({ ...rule, severity: 'deny', judge: () => [] })

const outOfRange = (path: string) => ({ path: at, keyword }: SchemaError) =>
  at === path && (keyword === 'minimum' || keyword === 'maximum')
const missing = (path: string) => ({ path: at, keyword, found }: SchemaError) =>
  at === path && (keyword === 'required' || found === '')
const malformed = (...paths: string[]) => ({ path, keyword }: SchemaError) => paths.includes(path) && keyword !== 'type'

export const metadataSizeRequired = schemaRule({
  id: 'STOR-META-REQ',
  summary: '`storage.metadataSize` must be given.',
  claims: missing('spec.storage.metadataSize'),
  example: { spec: { storage: { metadataSize: '' } } },
})

export const cacheSizeRequired = schemaRule({
  id: 'STOR-CACHE-REQ',
  summary: '`storage.cacheSize` must not be empty. The webhook replaces an empty value with the default. This error occurs only where the webhook did not run.',
  claims: missing('spec.storage.cacheSize'),
  example: { spec: { storage: { cacheSize: '' } } },
})

const portRange = (id: string, path: string, example: Example) => schemaRule({
  id, summary: `\`${path.replace('spec.', '')}\` must be a port number.`, claims: outOfRange(path), example,
})
export const apiPortRange = portRange('PORT-RANGE-API', 'spec.controlPlane.port', { spec: { controlPlane: { port: 70000 } } })
export const metricsPortRange = portRange('PORT-RANGE-METRICS', 'spec.metrics.port', { spec: { metrics: { port: -1 } } })
export const nfsPortRange = portRange('PORT-RANGE-NFS', 'spec.nfsPort', { spec: { nfsPort: 0 } })
export const smbPortRange = portRange('PORT-RANGE-SMB', 'spec.smb.port', { spec: { smb: { enabled: true, port: 65536 } } })

export const cacheSizeSyntax = schemaRule({
  id: 'CACHE-SIZE-SYNTAX',
  summary: '`cache.size` must be a size that the server can parse. Otherwise the server does not start.',
  claims: malformed('spec.cache.size'),
  example: { spec: { cache: { size: '1 gigabyte' } } },
})

export const s3NameRequired = schemaRule({
  id: 'S3-NAME-REQ',
  summary: '`s3.credentialsSecretRef` must name a Secret.',
  claims: missing('spec.s3.credentialsSecretRef.secretName'),
  example: { spec: { s3: { credentialsSecretRef: { secretName: '' } } } },
})

export const backupSchedule = schemaRule({
  id: 'PGB-CRON',
  summary: 'Backup schedules must be cron schedules.',
  claims: malformed('spec.percona.backup.fullSchedule', 'spec.percona.backup.incrSchedule'),
  example: { spec: { percona: { enabled: true, backup: { fullSchedule: 'every night' } } }, cluster: { percona: true } },
})

/** All other schema errors. Last in the table: it claims errors that no other rule claims. */
export const schema = schemaRule({
  id: 'SCHEMA',
  summary: 'The object must fit its schema: types, allowed values, ranges, required fields.',
  claims: () => true,
  example: { spec: { replicas: 3 } },
})
