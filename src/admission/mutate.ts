import { readMetadata } from '../dittoserver/metadata.ts'
import { defaultCacheSize, volumeSizeSyntax } from '../dittoserver/schema.ts'
import { isObject } from '../dittoserver/structural.ts'

export interface PatchOperation {
  readonly op: 'add' | 'replace'
  readonly path: string
  readonly value: string
}

/**
 * The missing defaults of an object, as a patch. Only absent, null or empty values are filled in. A value of the user is never rewritten,
 * not even in another notation: the object in the cluster must equal the one in Git. On an update, the size of the existing volume is
 * kept, because it cannot shrink to the default. `mutate(withPatch(x, mutate(x))) = []`.
 */
export function mutate (object: unknown, oldObject: unknown = null): PatchOperation[] {
  if (!isObject(object) || readMetadata(object.metadata).deletionTimestamp !== undefined) return []
  const storage = storageOf(object)
  if (!storage) return []
  const value = cacheSizeOf(storage)
  if (value !== undefined && value !== null && value !== '') return []
  const before = cacheSizeOf(storageOf(oldObject))
  return [{ op: value === undefined ? 'add' : 'replace', path: '/spec/storage/cacheSize', value: isVolumeSize(before) ? before : defaultCacheSize }]
}

function storageOf (object: unknown): Readonly<Record<string, unknown>> | undefined {
  const spec = isObject(object) ? object.spec : undefined
  return isObject(spec) && isObject(spec.storage) ? spec.storage : undefined
}

const cacheSizeOf = (storage: Readonly<Record<string, unknown>> | undefined): unknown =>
  storage && Object.hasOwn(storage, 'cacheSize') ? storage.cacheSize : undefined

const shape = new RegExp(volumeSizeSyntax.pattern)
const isVolumeSize = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= volumeSizeSyntax.maxLength && shape.test(value)

/** A copy of the object with the patch applied. Unchanged parts are shared with the original, which is not modified. */
export const withPatch = (object: unknown, patch: readonly PatchOperation[]): unknown =>
  patch.reduce((result, { path, value }) => withValue(result, path.split('/').slice(1), value), object)

function withValue (holder: unknown, [key, ...rest]: readonly string[], value: string): unknown {
  if (key === undefined) return value
  return isObject(holder) ? { ...holder, [key]: withValue(holder[key], rest, value) } : holder
}
