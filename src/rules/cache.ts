import { parseByteSize } from '../dittoserver/byte-size.ts'
import { effectiveBackend } from '../dittoserver/database.ts'
import { volumeBytes } from '../dittoserver/quantity.ts'
import type { DittoServerSpec } from '../dittoserver/schema.ts'
import { quote } from './finding.ts'
import type { Complaint, Rule } from './rule.ts'

export const cacheExceedsVolume: Rule = {
  id: 'CACHE-EXCEEDS-PVC',
  severity: 'warn',
  summary: 'The cache may grow larger than its volume.',
  judge: ({ server: { spec: { cache, storage } } }) => {
    const bytes = parseByteSize(cache.size)
    return bytes !== undefined && bytes > volumeBytes(storage.cacheSize)
      ? [{ field: 'spec.cache.size', detail: `${quote(cache.size)} is more than the cache volume holds (${storage.cacheSize}); it may fill up` }]
      : []
  },
  example: { spec: { cache: { size: '10GB' } } },
}

/** Directories that outlive the pod. */
export function mountedDirectories (spec: DittoServerSpec): string[] {
  return [
    '/data/metadata', '/data/cache',
    ...(spec.storage.contentSize ? ['/data/content'] : []),
    ...(effectiveBackend(spec) === 'sqlite' ? ['/data/controlplane'] : []),
  ]
}

const isUnder = (path: string, directory: string) => path.startsWith(directory) && (path.length === directory.length || path[directory.length] === '/')

export const pathNotMounted: Rule = {
  id: 'PATH-NOT-MOUNTED',
  severity: 'warn',
  summary: 'A path lies outside every volume: what is written there is gone when the pod restarts.',
  judge: ({ server: { spec } }) => {
    const directories = mountedDirectories(spec)
    const lost = (field: string, path: string): Complaint[] => directories.some(directory => isUnder(path, directory))
      ? []
      : [{ field, detail: `${quote(path)} is on no volume: its data is lost when the pod restarts` }]
    return [
      ...lost('spec.cache.path', spec.cache.path),
      ...(effectiveBackend(spec) === 'sqlite' ? lost('spec.database.sqlite.path', spec.database.sqlite.path) : []),
    ]
  },
  example: { spec: { cache: { path: '/var/cache/dittofs' } } },
}
