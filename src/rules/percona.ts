import { acknowledgeAnnotation } from '../dittoserver/api.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { compareQuantities } from '../dittoserver/quantity.ts'
import { quote } from '../dittoserver/quote.ts'
import { databaseNameSyntax, quantitySyntax, storageClassSyntax } from '../dittoserver/schema.ts'
import { fits } from './cel.ts'
import type { Complaint, Rule } from './rule.ts'

const enabled = { percona: { enabled: true } }
const installed = { percona: true }

export const crdMissing: Rule = {
  id: 'PG-CRD-MISSING',
  severity: 'deny',
  restsOnCluster: true,
  summary: '`percona.enabled` needs the Percona operator for PostgreSQL in the cluster.',
  when: ['spec.percona.enabled'],
  needs: ({ server }) => server.spec.percona.enabled ? [{ kind: 'PerconaCRD', field: 'spec.percona.enabled' }] : [],
  judge: ({ server, facts }) => server.spec.percona.enabled && facts.perconaServed().state === 'absent'
    ? [{
        field: 'spec.percona.enabled',
        problem: 'Not found',
        detail: 'no PerconaPGCluster API; install the Percona operator for PostgreSQL',
      }]
    : [],
  example: { spec: enabled },
}

export const overExternal: Rule = {
  id: 'PG-OVER-EXTERNAL',
  severity: 'warn',
  summary: 'Percona and an external reference are both set: Percona is used.',
  judge: ({ server: { spec: { percona, database } } }) => percona.enabled && database.postgresSecretRef
    ? [{
        field: 'spec.database.postgresSecretRef',
        restsOn: ['spec.percona.enabled', 'spec.database.postgresSecretRef'],
        detail: 'is ignored: percona.enabled is true, and its cluster is used',
      }]
    : [],
  example: { spec: { ...enabled, database: { type: 'postgres', postgresSecretRef: { name: 'pg', key: 'url' } } }, cluster: installed },
}

export const storageSizeQuantity: Rule = {
  id: 'PG-SIZE-QTY',
  severity: 'deny',
  summary: '`percona.storageSize` must be a quantity above zero.',
  claims: ({ path, keyword }) => path === 'spec.percona.storageSize' && keyword !== 'type',
  judge: () => [],
  example: { spec: { percona: { enabled: true, storageSize: '-1Gi' } }, cluster: installed },
}

export const databaseName: Rule = {
  id: 'PG-DBNAME',
  severity: 'deny',
  summary: `\`percona.databaseName\` must have 1 to ${databaseNameSyntax.maxLength} bytes.`,
  claims: ({ path, keyword }) => path === 'spec.percona.databaseName' && keyword !== 'type',
  cel: [{
    at: 'spec.percona.databaseName',
    rule: `bytes(self).size() <= ${databaseNameSyntax.maxLength}`,
    message: `must have at most ${databaseNameSyntax.maxLength} bytes [PG-DBNAME]`,
  }],
  judge: ({ server: { spec: { percona } } }) => Buffer.byteLength(percona.databaseName) > databaseNameSyntax.maxLength
    ? [{
        field: 'spec.percona.databaseName',
        problem: 'Invalid value',
        found: percona.databaseName,
        detail: `must have at most ${databaseNameSyntax.maxLength} bytes`,
      }]
    : [],
  example: { spec: { percona: { enabled: true, databaseName: 'é'.repeat(40) } }, cluster: installed },
}

const bothEnabled = (server: DittoServer, old: DittoServer | undefined): old is DittoServer =>
  old !== undefined && server.spec.percona.enabled && old.spec.percona.enabled

/** CEL: Percona is used before and after the change. */
const celBothEnabled = 'has(self.enabled) && self.enabled && has(oldSelf.enabled) && oldSelf.enabled'

export const perconaFrozen: Rule = {
  id: 'PG-FROZEN',
  severity: 'deny',
  operations: ['UPDATE'],
  summary: 'Name of the database and StorageClass of an existing PostgreSQL cluster cannot change.',
  cel: [
    {
      at: 'spec.percona',
      rule: `!(${celBothEnabled} && has(self.databaseName) && has(oldSelf.databaseName) && ${fits('oldSelf.databaseName', databaseNameSyntax)} && bytes(oldSelf.databaseName).size() <= ${databaseNameSyntax.maxLength}) || self.databaseName == oldSelf.databaseName`,
      fieldPath: '.databaseName',
      reason: 'FieldValueForbidden',
      message: 'the database of an existing cluster cannot be renamed [PG-FROZEN]',
    },
    {
      at: 'spec.percona',
      rule: `!(${celBothEnabled}) || has(oldSelf.storageClassName) && !${fits('oldSelf.storageClassName', storageClassSyntax)} || has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)`,
      fieldPath: '.storageClassName',
      reason: 'FieldValueForbidden',
      message: 'volumes keep their StorageClass [PG-FROZEN]',
    },
  ],
  judge: ({ server, old }) => {
    if (!bothEnabled(server, old)) return []
    const [before, after] = [old.spec.percona, server.spec.percona]
    const complaints: Complaint[] = []
    // A name that was too long before the rule existed may be corrected.
    if (before.databaseName !== after.databaseName && Buffer.byteLength(before.databaseName) <= databaseNameSyntax.maxLength) {
      complaints.push({
        field: 'spec.percona.databaseName',
        problem: 'Forbidden',
        found: after.databaseName,
        detail: `the database of an existing cluster cannot be renamed, it is ${quote(before.databaseName)}`,
      })
    }
    if (before.storageClassName !== after.storageClassName) {
      complaints.push({
        field: 'spec.percona.storageClassName',
        problem: 'Forbidden',
        found: after.storageClassName,
        detail: `volumes keep their StorageClass (${before.storageClassName === undefined ? 'the default' : quote(before.storageClassName)})`,
      })
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
    rule: `!(${celBothEnabled} && has(self.storageSize) && has(oldSelf.storageSize) && ${fits('self.storageSize', quantitySyntax)} && ${fits('oldSelf.storageSize', quantitySyntax)}) || quantity(self.storageSize).compareTo(quantity(oldSelf.storageSize)) >= 0`,
    fieldPath: '.storageSize',
    reason: 'FieldValueForbidden',
    message: 'a volume cannot shrink [PG-SHRINK]',
  }],
  judge: ({ server, old }) => {
    if (!bothEnabled(server, old)) return []
    const [before, after] = [old.spec.percona.storageSize, server.spec.percona.storageSize]
    return compareQuantities(after, before) === -1
      ? [{ field: 'spec.percona.storageSize', problem: 'Forbidden', found: after, detail: `a volume cannot shrink (from ${quote(before)})` }]
      : []
  },
  example: { spec: { percona: { enabled: true, storageSize: '5Gi' } }, oldSpec: enabled, cluster: installed },
}

export const perconaDisable: Rule = {
  id: 'PG-DISABLE',
  severity: 'deny',
  acknowledgeable: true,
  operations: ['UPDATE'],
  summary: 'Without the Percona cluster, existing users and shares are no longer visible. The data of the cluster is kept.',
  judge: ({ server, old }) => old?.spec.percona.enabled && !server.spec.percona.enabled
    ? [{
        field: 'spec.percona.enabled',
        problem: 'Forbidden',
        detail: `hides users and shares; accept: ${acknowledgeAnnotation}=PG-DISABLE`,
        acknowledged: 'existing users and shares stay in the PostgreSQL cluster',
      }]
    : [],
  example: { spec: {}, oldSpec: enabled },
}

export const deleteData: Rule = {
  id: 'PG-DELETE-DATA',
  severity: 'warn',
  summary: '`deleteWithServer: true` deletes the PostgreSQL data together with the DittoServer.',
  when: ['spec.percona.enabled', 'spec.percona.deleteWithServer'],
  judge: ({ server: { spec: { percona } } }) => percona.enabled && percona.deleteWithServer
    ? [{ field: 'spec.percona.deleteWithServer', detail: 'deleting this DittoServer will delete its PostgreSQL data' }]
    : [],
  example: { spec: { percona: { enabled: true, deleteWithServer: true } }, cluster: installed },
}
