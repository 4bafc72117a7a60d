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

/** Directories that are kept when the pod restarts, if the server has the volume. */
export const directories: readonly { readonly path: string, readonly isMounted: (spec: DittoServerSpec) => boolean }[] = [
  { path: '/data/metadata', isMounted: () => true },
  { path: '/data/cache', isMounted: () => true },
  { path: '/data/content', isMounted: ({ storage }) => Boolean(storage.contentSize) },
  { path: '/data/controlplane', isMounted: spec => effectiveBackend(spec) === 'sqlite' },
]

/** Most paths are what they resolve to: no part is empty or begins with a dot. To resolve one takes as long as all other rules. */
const isPlain = /^(?:\/[^/.][^/]*)+$/
const resolved = (path: string): string => isPlain.test(path) ? path : posix.resolve('/', path)

const isWithin = (path: string, directory: string) =>
  path.startsWith(directory) && (path.length === directory.length || path[directory.length] === '/')

const isKept = (path: string, spec: DittoServerSpec): boolean => {
  const place = resolved(path)
  return directories.some(directory => isWithin(place, directory.path) && directory.isMounted(spec))
}

const lost = (field: string, path: string): Complaint =>
  ({ field, detail: `${quote(path)} is not on a volume: its data is lost when the pod restarts` })

export const pathNotMounted: Rule = {
  id: 'PATH-NOT-MOUNTED',
  severity: 'warn',
  summary: 'A path is outside every volume: data written there is lost when the pod restarts.',
  judge: ({ server: { spec } }) => {
    const { cache, database: { sqlite } } = spec
    const complaints: Complaint[] = []
    if (!isKept(cache.path, spec)) complaints.push(lost('spec.cache.path', cache.path))
    if (effectiveBackend(spec) === 'sqlite' && !isKept(sqlite.path, spec)) complaints.push(lost('spec.database.sqlite.path', sqlite.path))
    return complaints
  },
  example: { spec: { cache: { path: '/var/cache/dittofs' } } },
}

const isFolder = (path: string, spec: DittoServerSpec): boolean => {
  const place = resolved(path)
  return path.endsWith('/') || directories.some(directory => directory.path === place && directory.isMounted(spec))
}

export const pathIsFolder: Rule = {
  id: 'DB-PATH-FOLDER',
  severity: 'warn',
  summary: '`sqlite.path` is a folder: the server cannot open it as its database.',
  judge: ({ server: { spec } }) => {
    const { path } = spec.database.sqlite
    if (effectiveBackend(spec) !== 'sqlite' || !isFolder(path, spec)) return []
    return [{ field: 'spec.database.sqlite.path', detail: `${quote(path)} is a folder; name a file in it, such as controlplane.db` }]
  },
  example: { spec: { database: { sqlite: { path: '/data/controlplane/' } } } },
}
