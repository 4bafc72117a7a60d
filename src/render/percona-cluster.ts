import { percona } from '../dittoserver/api.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import type { DittoServerSpec } from '../dittoserver/schema.ts'
import type { RenderInputs } from './inputs.ts'
import { childNames, labels, ownerReference } from './names.ts'

const newCluster = { crVersion: '2.8.0', postgresVersion: 16 }

function backups ({ metadata: { name }, spec: { percona: { backup } } }: DittoServer) {
  // Percona refuses a cluster that leaves it open whether there are backups.
  if (!backup.enabled) return { enabled: false }
  return {
    enabled: true,
    pgbackrest: {
      global: {
        'repo1-path': `/pgbackrest/${name}/repo1`,
        'repo1-s3-uri-style': 'path',
        'repo1-storage-verify-tls': 'y',
        'repo1-retention-full': String(backup.retentionDays),
        'repo1-retention-full-type': 'time',
      },
      repos: [{
        name: 'repo1',
        s3: { bucket: backup.bucket ?? '', endpoint: backup.endpoint ?? '', region: backup.region },
        schedules: { full: backup.fullSchedule, incremental: backup.incrSchedule },
      }],
      ...(backup.credentialsSecretRef?.name ? { configuration: [{ secret: { name: backup.credentialsSecretRef.name } }] } : {}),
    },
  }
}

const dataVolume = ({ percona: { storageSize, storageClassName } }: DittoServerSpec) => ({
  accessModes: ['ReadWriteOnce'],
  resources: { requests: { storage: storageSize } },
  ...(storageClassName === undefined ? {} : { storageClassName }),
})

/**
 * The PostgreSQL cluster. It is found again by its labels; an owner it has only while it is to be deleted with the server,
 * for whatever has an owner is sooner or later collected.
 */
export function perconaCluster (server: DittoServer, { perconaVersions = newCluster }: RenderInputs) {
  const { metadata: { name, namespace }, spec } = server
  return {
    apiVersion: `${percona.group}/${percona.version}`,
    kind: percona.kind,
    metadata: {
      name: childNames(name).perconaCluster,
      namespace,
      labels: labels(name),
      ...(spec.percona.deleteWithServer ? { ownerReferences: [ownerReference(server)] } : {}),
    },
    spec: {
      crVersion: perconaVersions.crVersion,
      postgresVersion: perconaVersions.postgresVersion,
      instances: [{ name: 'instance1', replicas: spec.percona.replicas, dataVolumeClaimSpec: dataVolume(spec) }],
      users: [{ name: 'dittofs', databases: [spec.percona.databaseName] }],
      backups: backups(server),
    },
  }
}
