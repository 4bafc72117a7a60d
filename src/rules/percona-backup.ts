import type { DittoServerSpec } from '../dittoserver/schema.ts'
import type { Rule } from './rule.ts'
import { secretMissing, secretNeeds, secretUnverified, type SecretReference } from './secret-reference.ts'

const backupOf = ({ percona }: DittoServerSpec) => percona.enabled && percona.backup.enabled ? percona.backup : undefined

const backup = { enabled: true, bucket: 'backups', endpoint: 'https://s3.example.com' }
const installed = { percona: true }

const required = (id: string, key: 'bucket' | 'endpoint'): Rule => ({
  id,
  severity: 'deny',
  summary: `Backups need \`percona.backup.${key}\`.`,
  cel: [{
    at: 'spec.percona',
    rule: `!(self.enabled && has(self.backup) && self.backup.enabled) || (has(self.backup.${key}) && self.backup.${key}.size() > 0)`,
    fieldPath: '.backup',
    reason: 'FieldValueRequired',
    message: `${key} must be set when backups are enabled [${id}]`,
  }],
  judge: ({ server }) => {
    const found = backupOf(server.spec)
    return found && !found[key]
      ? [{ field: `spec.percona.backup.${key}`, problem: 'Required value', detail: 'must be set when backups are enabled' }]
      : []
  },
  example: { spec: { percona: { enabled: true, backup: { ...backup, credentialsSecretRef: { name: 'pgbackrest' }, [key]: '' } } }, cluster: { percona: true, secrets: { pgbackrest: { 's3.conf': 80 } } } },
})

export const bucketRequired = required('PGB-BUCKET-REQ', 'bucket')
export const endpointRequired = required('PGB-ENDPOINT-REQ', 'endpoint')

export const credentialsUnset: Rule = {
  id: 'PGB-CREDS-UNSET',
  severity: 'warn',
  summary: 'Backups are enabled without credentials.',
  judge: ({ server }) => {
    const found = backupOf(server.spec)
    return found && !found.credentialsSecretRef?.name
      ? [{ field: 'spec.percona.backup.credentialsSecretRef', detail: 'is not set: S3 may refuse the backups' }]
      : []
  },
  example: { spec: { percona: { enabled: true, backup } }, cluster: installed },
}

const credentials: SecretReference = {
  field: 'spec.percona.backup.credentialsSecretRef.name',
  name: spec => backupOf(spec)?.credentialsSecretRef?.name || undefined,
  consequence: 'PostgreSQL starts only once it does',
}
const when: Rule['when'] = spec => backupOf(spec)?.credentialsSecretRef
const needs = secretNeeds(credentials)
const withCredentials = { percona: { enabled: true, backup: { ...backup, credentialsSecretRef: { name: 'pgbackrest' } } } }

export const credentialsMissing: Rule = {
  id: 'PGB-CREDS-MISSING',
  severity: 'warn',
  summary: 'The Secret with the credentials of the backups does not exist.',
  when,
  needs,
  judge: ({ server, facts }) => secretMissing(credentials, server.spec, facts),
  example: { spec: withCredentials, cluster: installed },
}

export const credentialsUnverified: Rule = {
  id: 'PGB-CREDS-UNVERIFIED',
  severity: 'warn',
  summary: 'The Secret with the credentials of the backups could not be looked up.',
  when,
  needs,
  judge: ({ server, facts }) => secretUnverified(credentials, server.spec, facts),
  example: { spec: withCredentials, cluster: { away: 'timed out' } },
}
