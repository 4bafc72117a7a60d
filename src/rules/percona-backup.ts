import type { DittoServerSpec } from '../dittoserver/schema.ts'
import { backupCredentials, follows, secretMissing } from './reference.ts'
import type { Rule } from './rule.ts'

const backupOf = ({ percona }: DittoServerSpec) => percona.enabled && percona.backup.enabled ? percona.backup : undefined

const backup = { enabled: true, bucket: 'backups', endpoint: 'https://s3.example.com' }
const installed = { percona: true }
const enabling = ['spec.percona.enabled', 'spec.percona.backup.enabled']

const required = (id: string, key: 'bucket' | 'endpoint'): Rule => ({
  id,
  severity: 'deny',
  summary: `Backups need \`percona.backup.${key}\`.`,
  cel: [{
    at: 'spec.percona',
    rule: `!(has(self.enabled) && self.enabled && has(self.backup) && has(self.backup.enabled) && self.backup.enabled) || (has(self.backup.${key}) && self.backup.${key}.size() > 0)`,
    restsOn: ['enabled', 'backup.enabled', `backup.${key}`],
    fieldPath: '.backup',
    reason: 'FieldValueRequired',
    message: `${key} must be set when backups are enabled [${id}]`,
  }],
  judge: ({ server }) => {
    const found = backupOf(server.spec)
    const field = `spec.percona.backup.${key}`
    return found && !found[key]
      ? [{ field, restsOn: [...enabling, field], problem: 'Required value', detail: 'must be set when backups are enabled' }]
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
      ? [{
          field: 'spec.percona.backup.credentialsSecretRef',
          restsOn: [...enabling, 'spec.percona.backup.credentialsSecretRef'],
          detail: 'not set: S3 may refuse the backups',
        }]
      : []
  },
  example: { spec: { percona: { enabled: true, backup } }, cluster: installed },
}

export const credentialsMissing: Rule = {
  id: 'PGB-CREDS-MISSING',
  severity: 'warn',
  summary: 'The Secret with the credentials of the backups does not exist.',
  ...follows(backupCredentials),
  judge: ({ server, facts }) => secretMissing(backupCredentials, server.spec, facts, 'PostgreSQL does not start until it exists'),
  example: { spec: { percona: { enabled: true, backup: { ...backup, credentialsSecretRef: { name: 'pgbackrest' } } } }, cluster: installed },
}
