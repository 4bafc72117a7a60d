import { posix } from 'node:path'
import { parseByteSize } from '../dittoserver/byte-size.ts'
import { effectiveBackend } from '../dittoserver/database.ts'
import { volumeBytes } from '../dittoserver/quantity.ts'
import { quote } from '../dittoserver/quote.ts'
import type { DittoServerSpec } from '../dittoserver/schema.ts'
import type { Complaint, Rule } from './rule.ts'

export const cacheExceedsVolume: Rule = {
  id: 'CACHE-EXCEEDS-PVC',
  severity: 'warn',
  summary: 'The cache may grow larger than its volume.',
  judge: ({ server: { spec: { cache, storage } } }) => {
    const bytes = parseByteSize(cache.size) ?? 0
    return bytes > volumeBytes(storage.cacheSize)
      ? [{
          field: 'spec.cache.size',
          restsOn: ['spec.cache.size', 'spec.storage.cacheSize'],
          detail: `${quote(cache.size)} is more than the cache volume can hold (${quote(storage.cacheSize)}); the volume may fill up`,
        }]
      : []
  },
  example: { spec: { cache: { size: '10GB' } } },
}

/** Directories that are kept when the pod restarts. */
export function mountedDirectories (spec: DittoServerSpec): string[] {
  return [
    '/data/metadata', '/data/cache',
    ...(spec.storage.contentSize ? ['/data/content'] : []),
    ...(effectiveBackend(spec) === 'sqlite' ? ['/data/controlplane'] : []),
  ]
}

/** Most paths are what they resolve to: no part is empty or begins with a dot. To resolve one takes as long as all other rules. */
const isPlain = /^(?:\/[^/.][^/]*)+$/
const resolved = (path: string): string => isPlain.test(path) ? path : posix.resolve('/', path)

const isWithin = (path: string, directory: string) => path === directory || path.startsWith(`${directory}/`)

const unmounted = (field: string, path: string, directories: readonly string[]): Complaint[] =>
  directories.some(directory => isWithin(resolved(path), directory))
    ? []
    : [{ field, detail: `${quote(path)} is not on a volume: its data is lost when the pod restarts` }]

export const pathNotMounted: Rule = {
  id: 'PATH-NOT-MOUNTED',
  severity: 'warn',
  summary: 'A path is outside every volume: data written there is lost when the pod restarts.',
  judge: ({ server: { spec } }) => {
    const directories = mountedDirectories(spec)
    return [
      ...unmounted('spec.cache.path', spec.cache.path, directories),
      ...(effectiveBackend(spec) === 'sqlite' ? unmounted('spec.database.sqlite.path', spec.database.sqlite.path, directories) : []),
    ]
  },
  example: { spec: { cache: { path: '/var/cache/dittofs' } } },
}

export const pathIsFolder: Rule = {
  id: 'DB-PATH-FOLDER',
  severity: 'warn',
  summary: '`sqlite.path` is a folder: the server cannot open it as its database.',
  judge: ({ server: { spec } }) => {
    const { path } = spec.database.sqlite
    const isFolder = path.endsWith('/') || mountedDirectories(spec).includes(resolved(path))
    return effectiveBackend(spec) === 'sqlite' && isFolder
      ? [{ field: 'spec.database.sqlite.path', detail: `${quote(path)} is a folder; name a file in it, such as controlplane.db` }]
      : []
  },
  example: { spec: { database: { sqlite: { path: '/data/controlplane/' } } } },
}
