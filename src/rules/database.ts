import { posix } from 'node:path'
import { acknowledgeAnnotation } from '../dittoserver/api.ts'
import { effectiveBackend, type Backend } from '../dittoserver/database.ts'
import { quote } from '../dittoserver/quote.ts'
import type { Facts } from './facts.ts'
import { follows, postgresConnection, secretMissing } from './reference.ts'
import type { Complaint, Rule } from './rule.ts'

const external = { database: { type: 'postgres', postgresSecretRef: { name: 'pg', key: 'url' } } }

export const typeIgnored: Rule = {
  id: 'DB-TYPE-IGNORED',
  severity: 'warn',
  summary: 'PostgreSQL is used although `database.type` is `sqlite`: `postgresSecretRef` takes precedence.',
  judge: ({ server: { spec: { database } } }) => database.postgresSecretRef && database.type === 'sqlite'
    ? [{
        field: 'spec.database.type',
        restsOn: ['spec.database.type', 'spec.database.postgresSecretRef'],
        detail: 'is sqlite, but postgresSecretRef is set and takes precedence: set it to postgres',
      }]
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
    rule: '!(has(self.database) && has(self.database.type) && self.database.type == \'postgres\' && !has(self.database.postgresSecretRef)) || (has(self.percona) && has(self.percona.enabled) && self.percona.enabled)',
    restsOn: ['database.type', 'has(database.postgresSecretRef)', 'percona.enabled'],
    fieldPath: '.database.postgresSecretRef',
    reason: 'FieldValueRequired',
    message: 'type \'postgres\' needs a postgresSecretRef, or percona.enabled [DB-PG-NOREF]',
  }],
  judge: ({ server: { spec: { database, percona } } }) =>
    database.type === 'postgres' && !database.postgresSecretRef && !percona.enabled
      ? [{
          field: 'spec.database.postgresSecretRef',
          restsOn: ['spec.database.type', 'spec.database.postgresSecretRef', 'spec.percona.enabled'],
          problem: 'Required value',
          detail: 'type \'postgres\' needs it, or percona.enabled',
        }]
      : [],
  example: { spec: { database: { type: 'postgres' } } },
}

/** Required fields of each reference. The name of the signing key Secret may be omitted: the operator then creates the Secret. */
const named = [
  { reference: 'spec.database.postgresSecretRef', key: 'name', detail: 'must name a Secret' },
  { reference: 'spec.identity.admin.passwordSecretRef', key: 'name', detail: 'must name a Secret' },
  { reference: 'spec.identity.admin.passwordSecretRef', key: 'key', detail: 'must name a key of the Secret' },
] as const

export const referenceIncomplete: Rule = {
  id: 'SECRET-REF-REQ',
  severity: 'deny',
  summary: 'A reference to a Secret must name it.',
  cel: named.map(({ reference, key, detail }) => ({
    at: reference,
    rule: `has(self.${key}) && self.${key}.size() > 0`,
    restsOn: [key],
    fieldPath: `.${key}`,
    reason: 'FieldValueRequired',
    message: `${detail} [SECRET-REF-REQ]`,
  })),
  judge: ({ server: { spec: { database, identity } } }) => {
    const { passwordSecretRef } = identity.admin
    const values = [database.postgresSecretRef?.name, passwordSecretRef?.name, passwordSecretRef?.key]
    return named.flatMap(({ reference, key, detail }, index): Complaint[] =>
      values[index] === '' ? [{ field: `${reference}.${key}`, problem: 'Required value', detail }] : [])
  },
  example: { spec: { identity: { admin: { passwordSecretRef: { key: 'password' } } } } },
}

/** CEL: the effective database of a spec. */
export const backendOf = (spec: string) =>
  `(has(${spec}.percona) && has(${spec}.percona.enabled) && ${spec}.percona.enabled ? 'percona' : has(${spec}.database) && has(${spec}.database.postgresSecretRef) ? 'external' : 'sqlite')`

const wording: Readonly<Record<Backend, string>> = { sqlite: 'SQLite', external: 'external PostgreSQL', percona: 'Percona' }

export const backendChange: Rule = {
  id: 'DB-TYPE-CHANGE',
  severity: 'deny',
  operations: ['UPDATE'],
  summary: 'A server cannot move between SQLite, an external PostgreSQL and Percona: the data is not migrated. PG-DISABLE covers a change away from Percona.',
  cel: [{
    at: 'spec',
    rule: `${backendOf('oldSelf')} == 'percona' || ${backendOf('self')} == ${backendOf('oldSelf')}`,
    fieldPath: '.database',
    reason: 'FieldValueForbidden',
    message: 'a server cannot move to another database, users and shares would be lost: create a second DittoServer [DB-TYPE-CHANGE]',
  }],
  judge: ({ server, old }) => {
    if (!old) return []
    const [before, after] = [effectiveBackend(old.spec), effectiveBackend(server.spec)]
    if (before === 'percona' || before === after) return []
    return [{
      field: 'spec.database',
      restsOn: ['spec.percona.enabled', 'spec.database.postgresSecretRef'],
      problem: 'Forbidden',
      detail: `cannot move from ${wording[before]} to ${wording[after]}; create a second DittoServer`,
    }]
  },
  example: { spec: external, oldSpec: {}, cluster: { secrets: { pg: { url: 40 } } } },
}

export const databasePathChange: Rule = {
  id: 'DB-PATH-CHANGE',
  severity: 'deny',
  acknowledgeable: true,
  operations: ['UPDATE'],
  summary: 'With another `sqlite.path` the server starts with an empty database: existing users and shares are no longer visible.',
  judge: ({ server, old }) => {
    if (!old || effectiveBackend(server.spec) !== 'sqlite' || effectiveBackend(old.spec) !== 'sqlite') return []
    const [before, after] = [old.spec.database.sqlite.path, server.spec.database.sqlite.path]
    if (posix.normalize(before) === posix.normalize(after)) return []
    return [{
      field: 'spec.database.sqlite.path',
      problem: 'Forbidden',
      found: after,
      detail: `starts with an empty database, users and shares stay in ${quote(before)}; to accept, annotate ${acknowledgeAnnotation}=DB-PATH-CHANGE`,
      acknowledged: `users and shares stay in ${quote(before)}; the server starts with what ${quote(after)} has`,
    }]
  },
  example: { spec: { database: { sqlite: { path: '/data/controlplane/other.db' } } }, oldSpec: {} },
}

export const databaseSecretChange: Rule = {
  id: 'DB-SECRET-CHANGE',
  severity: 'warn',
  operations: ['UPDATE'],
  summary: 'The connection to PostgreSQL comes from another Secret. If the Secret leads to another database, existing users and shares are no longer visible.',
  judge: ({ server, old }) => {
    if (!old || effectiveBackend(server.spec) !== 'external' || effectiveBackend(old.spec) !== 'external') return []
    const [before, after] = [old.spec.database.postgresSecretRef, server.spec.database.postgresSecretRef]
    if (!before || !after || (before.name === after.name && before.key === after.key)) return []
    const field = before.name === after.name ? 'spec.database.postgresSecretRef.key' : postgresConnection.field
    return [{ field, detail: 'must lead to the same database, or users and shares disappear' }]
  },
  example: {
    spec: { database: { type: 'postgres', postgresSecretRef: { name: 'pg-2', key: 'url' } } }, oldSpec: external, cluster: { secrets: { 'pg-2': { url: 40 } } },
  },
}

/** Keys of the second form of the Secret, with one key for each part of the connection. */
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
  summary: 'The Secret with the connection to PostgreSQL does not exist, or keys are missing in it.',
  ...follows(postgresConnection),
  judge: ({ server, facts }) => {
    const secret = postgresConnection.name(server.spec)
    const ref = server.spec.database.postgresSecretRef
    if (secret === undefined || !ref) return []
    const lacking = lackingParts(secret, ref.key, facts)
    return lacking ? [{ field: 'spec.database.postgresSecretRef.key', detail: lacking }] : secretMissing(postgresConnection, server.spec, facts)
  },
  example: { spec: external, cluster: { secrets: { pg: { host: 9, user: 7 } } } },
}
