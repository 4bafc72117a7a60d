import type { ModelKind } from './kind.ts'
import { dittoServer, perconaCluster } from './kinds/custom-resource.ts'
import { persistentVolumeClaim } from './kinds/persistent-volume-claim.ts'
import { configMap, customResourceDefinition, event, lease, pod, secret, storageClass } from './kinds/plain.ts'
import { service } from './kinds/service.ts'
import { statefulSet } from './kinds/stateful-set.ts'

export const modelKinds = {
  dittoServer,
  perconaCluster,
  statefulSet,
  service,
  configMap,
  secret,
  persistentVolumeClaim,
  pod,
  event,
  lease,
  storageClass,
  customResourceDefinition,
} as const satisfies Record<string, ModelKind>

export const allKinds: readonly ModelKind[] = Object.values(modelKinds)
