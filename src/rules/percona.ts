import { acknowledgeAnnotation } from '../dittoserver/api.ts'
import { compareQuantities, parseQuantity } from '../dittoserver/quantity.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { quote } from './finding.ts'
import type { Complaint, Rule } from './rule.ts'

const enabled = { percona: { enabled: true } }
const installed = { percona: true }

export const crdMissing: Rule = {
  id: 'PG-CRD-MISSING',
  severity: 'deny',
  restsOnAbsence: true,
  summary: '`percona.enabled` needs the Percona operator for PostgreSQL in the cluster.',
  when: ({ percona }) => percona.enabled,
  needs: ({ server }) => server.spec.percona.enabled ? [{ kind: 'PerconaCRD' }] : [],
  judge: ({ server, facts }) => server.spec.percona.enabled && facts.perconaServed().state === 'absent'
    ? [{
        field: 'spec.percona.enabled',
        problem: 'Not found',
        found: 'perconapgclusters.pgv2.percona.com',
        detail: 'no such CustomResourceDefinition; install the Percona operator for PostgreSQL, or set it to false',
      }]
    : [],
  example: { spec: enabled },
}

export const crdUnverified: Rule = {
  id: 'PG-CRD-UNVERIFIED',
  severity: 'warn',
  summary: 'Whether the Percona operator is installed could not be looked up.',
  when: ({ percona }) => percona.enabled,
  needs: ({ server }) => server.spec.percona.enabled ? [{ kind: 'PerconaCRD' }] : [],
  judge: ({ server, facts }) => {
    const fact = server.spec.percona.enabled ? facts.perconaServed() : undefined
    return fact?.state === 'unknown'
      ? [{ field: 'spec.percona.enabled', detail: `could not verify that the Percona operator is installed: ${fact.reason}` }]
      : []
  },
  example: { spec: enabled, cluster: { away: 'timed out' } },
}

export const overExternal: Rule = {
  id: 'PG-OVER-EXTERNAL',
  severity: 'warn',
  summary: 'Percona and an external reference are both set: Percona is used.',
  judge: ({ server: { spec: { percona, database } } }) => percona.enabled && database.postgresSecretRef
    ? [{ field: 'spec.database.postgresSecretRef', detail: 'is ignored: percona.enabled is true, and the Percona cluster is used' }]
    : [],
  example: { spec: { ...enabled, database: { type: 'postgres', postgresSecretRef: { name: 'pg', key: 'url' } } }, cluster: installed },
}

export const storageSizeQuantity: Rule = {
  id: 'PG-SIZE-QTY',
  severity: 'deny',
  summary: '`percona.storageSize` must be a quantity above zero.',
  claims: ({ path, keyword }) => path === 'spec.percona.storageSize' && keyword === 'pattern',
  cel: [{
    at: 'spec.percona',
    rule: '!self.enabled || (isQuantity(self.storageSize) && quantity(self.storageSize).isGreaterThan(quantity("0")))',
    fieldPath: '.storageSize',
    message: 'must be a quantity above zero, such as 10Gi [PG-SIZE-QTY]',
  }],
  judge: ({ server: { spec: { percona } } }) => percona.enabled && !((parseQuantity(percona.storageSize) ?? 0n) > 0n)
    ? [{ field: 'spec.percona.storageSize', problem: 'Invalid value', found: percona.storageSize, detail: 'must be a quantity above zero, such as 10Gi' }]
    : [],
  example: { spec: { percona: { enabled: true, storageSize: '-1Gi' } }, cluster: installed },
}

/** PostgreSQL cuts longer identifiers off. https://www.postgresql.org/docs/current/limits.html */
const longestIdentifier = 63

export const databaseName: Rule = {
  id: 'PG-DBNAME',
  severity: 'deny',
  summary: `\`percona.databaseName\` must have 1 to ${longestIdentifier} bytes.`,
  claims: ({ path, keyword }) => path === 'spec.percona.databaseName' && keyword !== 'type',
  cel: [{
    at: 'spec.percona',
    rule: `bytes(self.databaseName).size() <= ${longestIdentifier}`,
    fieldPath: '.databaseName',
    message: `must have at most ${longestIdentifier} bytes [PG-DBNAME]`,
  }],
  judge: ({ server: { spec: { percona } } }) => Buffer.byteLength(percona.databaseName) > longestIdentifier
    ? [{ field: 'spec.percona.databaseName', problem: 'Invalid value', found: percona.databaseName, detail: `must have at most ${longestIdentifier} bytes` }]
    : [],
  example: { spec: { percona: { enabled: true, databaseName: 'é'.repeat(40) } }, cluster: installed },
}

const bothEnabled = (server: DittoServer, old: DittoServer | undefined): old is DittoServer =>
  old !== undefined && server.spec.percona.enabled && old.spec.percona.enabled

export const perconaFrozen: Rule = {
  id: 'PG-FROZEN',
  severity: 'deny',
  operations: ['UPDATE'],
  summary: 'Name of the database and StorageClass of an existing PostgreSQL cluster cannot change.',
  cel: [
    {
      at: 'spec.percona',
      rule: '!(self.enabled && oldSelf.enabled) || self.databaseName == oldSelf.databaseName',
      fieldPath: '.databaseName',
      reason: 'FieldValueForbidden',
      message: 'the database of an existing cluster cannot be renamed [PG-FROZEN]',
    },
    {
      at: 'spec.percona',
      rule: '!(self.enabled && oldSelf.enabled) || (has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName))',
      fieldPath: '.storageClassName',
      reason: 'FieldValueForbidden',
      message: 'the StorageClass of existing volumes cannot change [PG-FROZEN]',
    },
  ],
  judge: ({ server, old }) => {
    if (!bothEnabled(server, old)) return []
    const [before, after] = [old.spec.percona, server.spec.percona]
    const complaints: Complaint[] = []
    if (before.databaseName !== after.databaseName) {
      complaints.push({ field: 'spec.percona.databaseName', problem: 'Forbidden', found: after.databaseName, detail: `the database of an existing cluster cannot be renamed, it is ${quote(before.databaseName)}` })
    }
    if (before.storageClassName !== after.storageClassName) {
      complaints.push({ field: 'spec.percona.storageClassName', problem: 'Forbidden', found: after.storageClassName, detail: `the StorageClass of existing volumes cannot change, it is ${before.storageClassName === undefined ? 'the default class' : quote(before.storageClassName)}` })
    }
    return complaints
  },
  example: { spec: { percona: { enabled: true, databaseName: 'files' } }, oldSpec: enabled, cluster: installed },
}

export const perconaShrink: Rule = {
  id: 'PG-SHRINK',
  severity: 'deny',
  operations: ['UPDATE'],
  summary: 'The volumes of PostgreSQL cannot shrink.',
  cel: [{
    at: 'spec.percona',
    rule: '!(self.enabled && oldSelf.enabled) || !isQuantity(self.storageSize) || !isQuantity(oldSelf.storageSize) || quantity(self.storageSize).compareTo(quantity(oldSelf.storageSize)) >= 0',
    fieldPath: '.storageSize',
    reason: 'FieldValueForbidden',
    message: 'a volume cannot shrink [PG-SHRINK]',
  }],
  judge: ({ server, old }) => {
    if (!bothEnabled(server, old)) return []
    const [before, after] = [old.spec.percona.storageSize, server.spec.percona.storageSize]
    return (compareQuantities(after, before) ?? 0) < 0
      ? [{ field: 'spec.percona.storageSize', problem: 'Forbidden', found: after, detail: `a volume cannot shrink, it has ${before}` }]
      : []
  },
  example: { spec: { percona: { enabled: true, storageSize: '5Gi' } }, oldSpec: enabled, cluster: installed },
}

export const perconaDisable: Rule = {
  id: 'PG-DISABLE',
  severity: 'deny',
  acknowledgeable: true,
  operations: ['UPDATE'],
  summary: 'Leaving the Percona cluster loses users and shares from view. Its data stays.',
  judge: ({ server, old }) => old?.spec.percona.enabled && !server.spec.percona.enabled
    ? [{
        field: 'spec.percona.enabled',
        problem: 'Forbidden',
        found: false,
        detail: `the server would lose its users and shares; if that is meant, annotate it with ${acknowledgeAnnotation}=PG-DISABLE`,
      }]
    : [],
  example: { spec: {}, oldSpec: enabled },
}

export const deleteData: Rule = {
  id: 'PG-DELETE-DATA',
  severity: 'warn',
  summary: '`deleteWithServer: true` deletes the PostgreSQL data together with the DittoServer.',
  when: ({ percona }) => [percona.enabled, percona.deleteWithServer],
  judge: ({ server: { spec: { percona } } }) => percona.enabled && percona.deleteWithServer
    ? [{ field: 'spec.percona.deleteWithServer', detail: 'deleting this DittoServer will delete its PostgreSQL data' }]
    : [],
  example: { spec: { percona: { enabled: true, deleteWithServer: true } }, cluster: installed },
}
