import { percona } from '../dittoserver/api.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import type { DittoServerSpec } from '../dittoserver/schema.ts'
import { choosePercona } from '../percona/choice.ts'
import type { RenderInputs } from './inputs.ts'
import { childNames, labels, ownerReference } from './names.ts'

function backups ({ metadata: { name }, spec: { percona: { backup } } }: DittoServer, image: string) {
  // Percona refuses a cluster that does not say whether there are backups, and a cluster without this image even if backups are disabled.
  if (!backup.enabled) return { enabled: false, pgbackrest: { image } }
  return {
    enabled: true,
    pgbackrest: {
      image,
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

/**
 * Without this annotation, the Percona operator stops reconciling a cluster after its backups were removed. Only the pod that runs backups
 * is deleted; those in the bucket are kept.
 * https://access.crunchydata.com/documentation/postgres-operator/latest/tutorials/backups-disaster-recovery/disable-backups
 */
const authorizeBackupRemoval = { 'pgv2.percona.com/authorizeBackupRemoval': 'true' }

const dataVolume = ({ percona: { storageSize, storageClassName } }: DittoServerSpec) => ({
  accessModes: ['ReadWriteOnce'],
  resources: { requests: { storage: storageSize } },
  ...(storageClassName === undefined ? {} : { storageClassName }),
})

/**
 * The PostgreSQL cluster. It is identified by its labels. It has an owner reference only if it must be deleted with the server, because an
 * object with an owner is garbage-collected.
 */
export function perconaCluster (server: DittoServer, inputs: Pick<RenderInputs, 'percona'>) {
  const { metadata: { name, namespace }, spec } = server
  const { crVersion, postgresVersion, images } = inputs.percona ?? choosePercona(spec.percona, undefined, undefined)
  return {
    apiVersion: `${percona.group}/${percona.version}`,
    kind: percona.kind,
    metadata: {
      name: childNames(name).perconaCluster,
      namespace,
      labels: labels(name),
      ...(spec.percona.deleteWithServer ? { ownerReferences: [ownerReference(server)] } : {}),
      ...(spec.percona.backup.enabled ? {} : { annotations: authorizeBackupRemoval }),
    },
    spec: {
      ...(crVersion === undefined ? {} : { crVersion }),
      postgresVersion,
      ...(images.postgres === undefined ? {} : { image: images.postgres }),
      instances: [{ name: 'instance1', replicas: spec.percona.replicas, dataVolumeClaimSpec: dataVolume(spec) }],
      users: [{ name: 'dittofs', databases: [spec.percona.databaseName] }],
      // Percona operator 2.8 panics if there is no pgBouncer section, and then stops reconciling every other cluster too.
      proxy: { pgBouncer: { replicas: spec.percona.pgBouncer.replicas, image: images.pgBouncer } },
      backups: backups(server, images.pgBackRest),
    },
  }
}
