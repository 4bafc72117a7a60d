import { createHash } from 'node:crypto'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { group } from '../dittoserver/api.ts'

/**
 * The digest of the last apply is stored on the object itself. So any process can tell without a request whether the object is still what
 * we render. The digest also changes if we no longer render a field, which a comparison with the object would not show.
 */
export const appliedAnnotation = `${group}/applied`

export const withDigest = (rendered: KubernetesObject): KubernetesObject => ({
  ...rendered,
  metadata: { ...rendered.metadata, annotations: { ...rendered.metadata.annotations, [appliedAnnotation]: digestOf(rendered) } },
})

const digestOf = (rendered: KubernetesObject) => createHash('sha256').update(JSON.stringify(rendered)).digest('hex').slice(0, 32)

/** Accepts an object from `withDigest`, or an object in the cluster. */
export const appliedDigest = ({ metadata: { annotations } }: KubernetesObject): string | undefined => annotations?.[appliedAnnotation]
