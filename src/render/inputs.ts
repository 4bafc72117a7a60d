import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { group } from '../dittoserver/api.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { choosePercona, type PerconaChoice } from '../percona/choice.ts'
import type { Claim } from './claim.ts'
import type { SecretDigest } from './secret-uses.ts'

/** All render inputs besides the DittoServer itself. */
export interface RenderInputs {
  /** Digest of the data that the server reads at start: see config-hash.ts. */
  readonly configHash: string
  /** The Secret versions that the hash was computed from. Absent if they are not stored. */
  readonly secretVersions?: string
  /** The source of an external PostgreSQL connection: keys of the user's Secret, or of our Secret with the parts of its URL. */
  readonly externalPostgres?: 'keys' | 'url'
  /** Templates of the existing StatefulSet. They are immutable, so they are sent back unchanged. */
  readonly existingTemplates?: readonly Claim[]
  /** The time of the last `kubectl rollout restart`. A recreated StatefulSet without it would restart the pod again. */
  readonly restartedAt?: string
  /** The reason that a user gave for it. Kept for the same reason. */
  readonly restartReason?: string
  /** Versions and images of the PostgreSQL cluster; only if the server uses one. */
  readonly percona?: PerconaChoice
}

/** The existing objects of a server that affect rendering. */
export interface Existing {
  readonly statefulSet: KubernetesObject | undefined
  readonly pod: KubernetesObject | undefined
  readonly perconaCluster: KubernetesObject | undefined
  /** Version of the Percona operator; undefined if unknown. */
  readonly perconaOperator: string | undefined
}

/** Pure. */
export function renderInputs (
  { spec: { percona } }: DittoServer, { configHash, externalPostgres }: SecretDigest, existing: Existing,
): RenderInputs {
  const templates = templatesOf(existing.statefulSet)
  const { [restartedAtAnnotation]: restartedAt, [restartReasonAnnotation]: restartReason } = restartOf(existing)
  return {
    configHash,
    ...(externalPostgres ? { externalPostgres } : {}),
    ...(templates ? { existingTemplates: templates } : {}),
    ...(restartedAt === undefined ? {} : { restartedAt }),
    ...(restartReason === undefined ? {} : { restartReason }),
    ...(percona.enabled ? { percona: choosePercona(percona, existing.perconaOperator, existing.perconaCluster) } : {}),
  }
}

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#kubectl-k8s-io-restart-at */
export const restartedAtAnnotation = 'kubectl.kubernetes.io/restartedAt'

/** The time and the reason of a restart: with the time, because a later `kubectl rollout restart` gives no reason and leaves this one. */
export const restartReasonAnnotation = `${group}/restart-reason`

/** The annotations of a pod template that restart its pod. */
export const restartAnnotations = (at: string, reason: string): Readonly<Record<string, string>> =>
  ({ [restartedAtAnnotation]: at, [restartReasonAnnotation]: `${at} ${reason}` })

/** The reason of the last restart of a pod, if one was given. */
export function restartReason ({ metadata: { annotations = {} } }: Pick<KubernetesObject, 'metadata'>): string | undefined {
  const [at, given] = [annotations[restartedAtAnnotation], annotations[restartReasonAnnotation]]
  return at !== undefined && given?.startsWith(`${at} `) ? given.slice(at.length + 1) : undefined
}

/** The annotations of the pod template. */
export function templateAnnotations ({ spec }: KubernetesObject): Readonly<Record<string, string>> {
  const { template } = (spec ?? {}) as { template?: { metadata?: Pick<KubernetesObject['metadata'], 'annotations'> } }
  return template?.metadata?.annotations ?? {}
}

/** While the StatefulSet is deleted and recreated, only the pod has the annotations. */
const restartOf = ({ statefulSet, pod }: Existing): Readonly<Record<string, string | undefined>> =>
  (statefulSet ? templateAnnotations(statefulSet) : pod?.metadata.annotations) ?? {}

/** The templates as they were rendered, without the fields that the API server filled in. */
export function templatesOf (statefulSet: KubernetesObject | undefined): Claim[] | undefined {
  const { volumeClaimTemplates } = (statefulSet?.spec ?? {}) as { volumeClaimTemplates?: readonly Claim[] }
  return volumeClaimTemplates?.map(({ metadata: { name, labels, annotations }, spec = {} }) => {
    const { accessModes, storageClassName, resources, volumeMode, ...rest } = spec
    return {
      metadata: { name, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) },
      spec: {
        ...(accessModes ? { accessModes } : {}),
        ...(storageClassName === undefined ? {} : { storageClassName }),
        ...(resources ? { resources } : {}),
        ...(volumeMode === undefined || volumeMode === 'Filesystem' ? {} : { volumeMode }),
        ...rest,
      },
    }
  })
}
