import { backupCredentials, follows } from './reference.ts'
import type { Rule } from './rule.ts'

const backup = { enabled: true, bucket: 'backups', endpoint: 'https://s3.example.com', credentialsSecretRef: { name: 'pgbackrest' } }

export const credentialsUnread: Rule = {
  id: 'PGB-CREDS-NO-CONF',
  severity: 'warn',
  summary: 'pgBackRest reads only the keys of the Secret that end in `.conf`, as configuration files.',
  ...follows(backupCredentials),
  judge: ({ server, facts }) => {
    const name = backupCredentials.name(server.spec)
    const fact = name === undefined ? undefined : facts.secret(name)
    if (fact?.state !== 'present' || [...fact.value.lengths.keys()].some(key => key.endsWith('.conf'))) return []
    return [{
      field: backupCredentials.field,
      detail: "no key ends in '.conf', and pgBackRest reads no other keys",
    }]
  },
  example: {
    spec: { percona: { enabled: true, backup } },
    cluster: { percona: '2.9.0', secrets: { pgbackrest: { accessKeyId: 20, secretAccessKey: 40 } } },
  },
}
