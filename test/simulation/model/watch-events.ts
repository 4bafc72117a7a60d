import { isTree, withLeaf, type Tree } from './tree.ts'
import { textOf, type ModelWatch } from './http.ts'
import type { Change } from './store.ts'

export interface ModelEvent { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED', readonly object: Tree }

/**
 * A change as seen by one watch; undefined if it is not visible. An object that starts to match is an addition. An object that no longer
 * matches is a deletion, with the last matching state and the version of the change.
 */
export function eventOf (change: Change, watch: Pick<ModelWatch, 'kind' | 'matches'>): ModelEvent | undefined {
  const { kind, type, object, previous, version } = change
  if (kind !== watch.kind) return undefined
  const did = isTree(previous) && watch.matches(previous)
  const does = type !== 'DELETED' && watch.matches(object)
  if (does) return { type: did ? 'MODIFIED' : 'ADDED', object }
  if (!did) return undefined
  return { type: 'DELETED', object: type === 'DELETED' ? object : withLeaf(previous, ['metadata', 'resourceVersion'], String(version)) }
}

export const eventLine = ({ type, object }: ModelEvent, metadataOnly: boolean): string => `{"type":"${type}","object":${textOf(object, metadataOnly)}}\n`

export const bookmarkLine = ({ kind: { kind, apiVersion }, metadataOnly }: ModelWatch, version: number): string => `${JSON.stringify({
  type: 'BOOKMARK',
  object: {
    ...(metadataOnly ? { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' } : { kind, apiVersion }),
    metadata: { resourceVersion: String(version), creationTimestamp: null },
  },
})}\n`

export const errorLine = (status: unknown): string => `${JSON.stringify({ type: 'ERROR', object: status })}\n`
