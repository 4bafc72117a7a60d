import { defaultCacheSize } from '../dittoserver/schema.ts'
import { isObject } from '../dittoserver/structural.ts'

export interface PatchOperation {
  readonly op: 'add' | 'replace'
  readonly path: string
  readonly value: string
}

/**
 * The defaults that an object lacks. Only what is absent, null or empty is filled in; a value that the user gave is never
 * rewritten, not even into another spelling: what is in Git must stay what is in the cluster.
 * `mutate(apply(mutate(x))) = []`.
 */
export function mutate (object: unknown): PatchOperation[] {
  if (!isObject(object) || !isObject(object.spec) || !isObject(object.spec.storage)) return []
  const { storage } = object.spec
  const value: unknown = Object.hasOwn(storage, 'cacheSize') ? storage.cacheSize : undefined
  if (value !== undefined && value !== null && value !== '') return []
  const op = value === undefined ? 'add' : 'replace'
  return [{ op, path: '/spec/storage/cacheSize', value: defaultCacheSize }]
}
