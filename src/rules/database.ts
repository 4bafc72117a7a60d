import { effectiveBackend, type Backend } from '../dittoserver/database.ts'
import { quote } from './finding.ts'
import type { Complaint, Facts, Rule } from './rule.ts'
import { secretMissing, secretNeeds, type SecretReference } from './secret-reference.ts'

export const typeIgnored: Rule = {
  id: 'DB-TYPE-IGNORED',
  severity: 'warn',
  summary: 'PostgreSQL is used although `database.type` says `sqlite`: the reference decides.',
  judge: ({ server: { spec: { database } } }) => database.postgresSecretRef && database.type === 'sqlite'
    ? [{ field: 'spec.database.type', detail: 'is \'sqlite\', but postgresSecretRef is set: PostgreSQL is used; say \'postgres\'' }]
    : [],
  example: {
    spec: { database: { postgresSecretRef: { name: 'pg', key: 'url' } } },
    cluster: { secrets: { pg: { url: 40 } } },
  },
}

export const postgresWithoutReference: Rule = {
  id: 'DB-PG-NOREF',
  severity: 'deny',
  summary: '`database.type: postgres` needs a `postgresSecretRef` or `percona.enabled`.',
  cel: [{
    at: 'spec',
    rule: '!(has(self.database) && self.database.type == \'postgres\' && !has(self.database.postgresSecretRef)) || (has(self.percona) && self.percona.enabled)',
    fieldPath: '.database.postgresSecretRef',
    reason: 'FieldValueRequired',
    message: 'type \'postgres\' needs a postgresSecretRef, or percona.enabled [DB-PG-NOREF]',
  }],
  judge: ({ server: { spec: { database, percona } } }) =>
    database.type === 'postgres' && !database.postgresSecretRef && !percona.enabled
      ? [{ field: 'spec.database.postgresSecretRef', problem: 'Required value', detail: 'type \'postgres\' needs it, or percona.enabled' }]
      : [],
  example: { spec: { database: { type: 'postgres' } } },
}

export const referenceIncomplete: Rule = {
  id: 'SECRET-REF-REQ',
  severity: 'deny',
  summary: 'A reference to a Secret must name it.',
  cel: [
    { at: 'spec.database.postgresSecretRef', rule: 'self.name.size() > 0', fieldPath: '.name', reason: 'FieldValueRequired', message: 'must name a Secret [SECRET-REF-REQ]' },
    { at: 'spec.identity.admin.passwordSecretRef', rule: 'self.name.size() > 0', fieldPath: '.name', reason: 'FieldValueRequired', message: 'must name a Secret [SECRET-REF-REQ]' },
    { at: 'spec.identity.admin.passwordSecretRef', rule: 'self.key.size() > 0', fieldPath: '.key', reason: 'FieldValueRequired', message: 'must name a key of the Secret [SECRET-REF-REQ]' },
  ],
  judge: ({ server: { spec: { database, identity } } }) => {
    const complaints: Complaint[] = []
    const admin = identity.admin.passwordSecretRef
    if (database.postgresSecretRef?.name === '') complaints.push({ field: 'spec.database.postgresSecretRef.name', problem: 'Required value', detail: 'must name a Secret' })
    if (admin?.name === '') complaints.push({ field: 'spec.identity.admin.passwordSecretRef.name', problem: 'Required value', detail: 'must name a Secret' })
    if (admin?.key === '') complaints.push({ field: 'spec.identity.admin.passwordSecretRef.key', problem: 'Required value', detail: 'must name a key of the Secret' })
    return complaints
  },
  example: { spec: { identity: { admin: { passwordSecretRef: { key: 'password' } } } } },
}

/** `B(x)` of the CEL rule below: the effective backend of a spec. */
const backendOf = (spec: string) =>
  `(has(${spec}.percona) && ${spec}.percona.enabled ? 'percona' : has(${spec}.database) && has(${spec}.database.postgresSecretRef) ? 'external' : 'sqlite')`

const wording: Readonly<Record<Backend, string>> = {
  sqlite: 'SQLite', external: 'an external PostgreSQL', percona: 'the Percona cluster',
}

export const backendChange: Rule = {
  id: 'DB-TYPE-CHANGE',
  severity: 'deny',
  operations: ['UPDATE'],
  summary: 'A server cannot move between SQLite, an external PostgreSQL and Percona: no data moves with it. Leaving Percona is the business of PG-DISABLE.',
  cel: [{
    at: 'spec',
    rule: `${backendOf('oldSelf')} == 'percona' || ${backendOf('self')} == ${backendOf('oldSelf')}`,
    fieldPath: '.database',
    reason: 'FieldValueForbidden',
    message: 'a server cannot move to another database, users and shares would be gone: create a second DittoServer [DB-TYPE-CHANGE]',
  }],
  judge: ({ server, old }) => {
    if (!old) return []
    const [before, after] = [effectiveBackend(old.spec), effectiveBackend(server.spec)]
    if (before === 'percona' || before === after) return []
    return [{
      field: 'spec.database',
      problem: 'Forbidden',
      detail: `a server cannot move from ${wording[before]} to ${wording[after]}, users and shares would be gone; create a second DittoServer`,
    }]
  },
  example: { spec: { database: { type: 'postgres', postgresSecretRef: { name: 'pg', key: 'url' } } }, oldSpec: {}, cluster: { secrets: { pg: { url: 40 } } } },
}

const external: SecretReference = {
  field: 'spec.database.postgresSecretRef.name',
  name: ({ database, percona }) => percona.enabled ? undefined : database.postgresSecretRef?.name || undefined,
  consequence: 'the pod starts only once it does',
}

/** Keys of the second shape of the Secret, in which every part of the connection has its own. */
const parts = ['host', 'database', 'user', 'password']

function lackingParts (secret: string, key: string, facts: Facts): string | undefined {
  const fact = facts.secret(secret)
  if (fact.state !== 'present' || fact.value.lengths.get(key)) return undefined
  const lacking = parts.filter(part => !fact.value.lengths.get(part))
  if (lacking.length === 0) return undefined
  return lacking.length === parts.length
    ? `Secret ${quote(secret)} has neither key ${quote(key)} nor ${parts.join(', ')}`
    : `Secret ${quote(secret)} has no ${lacking.join(', ')}`
}

export const databaseSecretMissing: Rule = {
  id: 'DB-SECRET-MISSING',
  severity: 'warn',
  summary: 'The Secret with the connection to PostgreSQL does not exist, or lacks what it must hold.',
  when: spec => [spec.database.postgresSecretRef, spec.percona.enabled],
  needs: secretNeeds(external),
  judge: ({ server, facts }) => {
    const secret = external.name(server.spec)
    const ref = server.spec.database.postgresSecretRef
    if (!secret || !ref) return []
    const lacking = lackingParts(secret, ref.key, facts)
    return lacking ? [{ field: 'spec.database.postgresSecretRef', detail: lacking }] : secretMissing(external, server.spec, facts)
  },
  example: { spec: { database: { type: 'postgres', postgresSecretRef: { name: 'pg', key: 'url' } } }, cluster: { secrets: { pg: { host: 9, user: 7 } } } },
}
