import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../dittoserver/structural.ts'
import type { Manifest } from '../embedded/manifests.ts'
import { storedObject, type Stored } from './apply.ts'

/**
 * Finds the stored object that a manifest updates: the object with the same namespace and name in other manifests. In `state`, only objects
 * that were read from a cluster count, which have a `metadata.uid`: another environment may have a manifest with the same name. `previous`
 * are the manifests as applied before; they take precedence. The returned function throws if two of them differ.
 */
export function storedServers (state: readonly Manifest[], previous: readonly Manifest[]): (manifest: Manifest) => Stored | undefined {
  const before = byIdentity(previous)
  const stored = byIdentity(state.filter(isFromCluster))
  return manifest => {
    const given = only(before.get(identity(manifest)))
    if (given) return { object: given.object, original: given.object }
    const found = only(stored.get(identity(manifest)))
    return found && storedObject(found.object)
  }
}

const identity = ({ namespace, name }: Manifest) => `${namespace}/${name}`
const byIdentity = (manifests: readonly Manifest[]) => Map.groupBy(manifests, identity)

const isFromCluster = ({ object: { metadata } }: Manifest) => isObject(metadata) && typeof metadata.uid === 'string' && metadata.uid !== ''

function only ([first, ...more]: readonly Manifest[] = []): Manifest | undefined {
  const other = more.find(({ object }) => !isDeepStrictEqual(object, first?.object))
  if (first && other) throw new Error(`${identity(first)} is in ${first.source} and, otherwise, in ${other.source}; give one of them`)
  return first
}
