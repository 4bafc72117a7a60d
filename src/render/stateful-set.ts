import { effectiveBackend } from '../dittoserver/database.ts'
import { group } from '../dittoserver/api.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { restartReasonAnnotation, restartedAtAnnotation, type RenderInputs } from './inputs.ts'
import { childMetadata, childNames, labels, selectorLabels } from './names.ts'
import { podSpec } from './pod.ts'
import { claimTemplates } from './volumes.ts'

export const configHashAnnotation = 'dittofs.io/config-hash'
/** The database that the server was created with: data is not migrated to another one. */
export const databaseAnnotation = `${group}/database`

/** The inputs of the hash: see src/controller/secret-versions.ts. */
export const secretVersionsAnnotation = `${group}/secret-versions`

export function statefulSet (server: DittoServer, inputs: RenderInputs) {
  const { metadata: { name }, spec } = server
  const templates = inputs.existingTemplates ?? claimTemplates(server)
  const metadata = childMetadata(server, childNames(name).statefulSet)
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      ...metadata,
      annotations: {
        [databaseAnnotation]: effectiveBackend(spec),
        ...(inputs.secretVersions === undefined ? {} : { [secretVersionsAnnotation]: inputs.secretVersions }),
      },
    },
    spec: {
      replicas: spec.replicas,
      serviceName: childNames(name).headlessService,
      // With the default policy, a pod that never became ready would never be replaced, so a corrected image would never reach it.
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: selectorLabels(name) },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      template: {
        metadata: {
          labels: labels(name),
          annotations: {
            [configHashAnnotation]: inputs.configHash,
            ...(inputs.restartedAt === undefined ? {} : { [restartedAtAnnotation]: inputs.restartedAt }),
            ...(inputs.restartReason === undefined ? {} : { [restartReasonAnnotation]: inputs.restartReason }),
          },
        },
        spec: podSpec(server, inputs, templates),
      },
      volumeClaimTemplates: templates,
    },
  }
}
