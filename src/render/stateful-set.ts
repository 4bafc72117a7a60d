import { effectiveBackend } from '../dittoserver/database.ts'
import { group } from '../dittoserver/api.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import type { RenderInputs } from './inputs.ts'
import { childMetadata, childNames, labels, selectorLabels } from './names.ts'
import { podSpec } from './pod.ts'
import { claimTemplates } from './volumes.ts'

export const configHashAnnotation = 'dittofs.io/config-hash'
/** The database that the server was made with: no data moves to another one. */
export const databaseAnnotation = `${group}/database`

export function statefulSet (server: DittoServer, inputs: RenderInputs) {
  const { metadata: { name }, spec } = server
  const templates = inputs.existingTemplates ?? claimTemplates(server)
  const metadata = childMetadata(server, childNames(name).statefulSet)
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { ...metadata, annotations: { [databaseAnnotation]: effectiveBackend(spec) } },
    spec: {
      replicas: spec.replicas,
      serviceName: childNames(name).headlessService,
      selector: { matchLabels: selectorLabels(name) },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      template: {
        metadata: { labels: labels(name), annotations: { [configHashAnnotation]: inputs.configHash } },
        spec: podSpec(server, inputs, templates),
      },
      volumeClaimTemplates: templates,
    },
  }
}
