import { appliedAnnotation } from '../../src/controller/applied-digest.ts'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'
import { restartedAtAnnotation } from '../../src/render/inputs.ts'
import { configHashAnnotation, secretVersionsAnnotation } from '../../src/render/stateful-set.ts'
import { secretDigest, secretUses, type SecretData } from '../../src/render/secret-uses.ts'
import type { Cluster } from './cluster.ts'
import { modelKinds } from './model/kinds.ts'
import { metadataOf } from './model/metadata.ts'
import { at, isTree, withLeaf, without, type Tree } from './model/tree.ts'
import { namespace } from './servers.ts'

const { dittoServer, perconaCluster, statefulSet, service, configMap, secret, persistentVolumeClaim, pod } = modelKinds
/** The significant objects, by kind and name. */
export type Snapshot = ReadonlyMap<string, unknown>

const compared = [dittoServer, perconaCluster, statefulSet, service, configMap, secret, persistentVolumeClaim, pod]

/** Values that differ between runs without significance. */
const accidental = new Set([
  'resourceVersion', 'uid', 'creationTimestamp', 'deletionTimestamp', 'managedFields', 'lastTransitionTime', 'nodePort', 'clusterIP', 'clusterIPs', 'lastProbeTime',
])

const notChecked = /^Not checked yet\.|Not checked since [0-9T:-]+Z\.$/

/** The digest of the data that a server's pod must read, from the current objects. */
export function expectedHash (cluster: Cluster, object: Tree): string {
  const { server } = readDittoServer(object)
  const uses = secretUses(server)
  const data = new Map(uses.map(({ secret: name }): [string, SecretData] => {
    const found = cluster.find(secret, namespace, name)
    return [name, found ? (at(found, 'data') ?? {}) as SecretData : undefined]
  }))
  return secretDigest(server, uses, data).configHash
}

/** All significant objects in the cluster, by kind and name. Two runs with the same result have the same snapshot. */
export function snapshotOf (cluster: Cluster): Snapshot {
  const hashes = new Map(cluster.list(dittoServer).map(object => [expectedHash(cluster, object), `the hash of ${String(metadataOf(object).name)}`]))
  const names = new Map(compared.flatMap(kind => cluster.list(kind).map(object =>
    [metadataOf(object).uid, `${kind.kind} ${String(metadataOf(object).name)}`])))
  const revision = (text: string) => text.replace(/^([a-z]+)-[0-9a-f]{10}$/, '$1-revision')
  const normal = (value: unknown, key: string): unknown => {
    if (Array.isArray(value)) return key === 'finalizers' ? value.toSorted() : value.map(entry => normal(entry, key))
    // The age of conditions that were not reached depends on the last pass before.
    if (isTree(value) && notChecked.test(String(value.message))) return { type: value.type, status: value.status, message: 'not checked' }
    if (isTree(value)) {
      const entries = Object.entries(value).filter(([name]) => !isAccidental(name, key)).sort(([a], [b]) => a < b ? -1 : 1)
      const owner = key === 'ownerReferences' ? { uid: names.get(value.uid) ?? 'nobody' } : {}
      const below = entries.map(([name, entry]) => [name, normal(entry, name === 'metadata' || name === 'status' ? key : name)])
      return { ...Object.fromEntries(below) as object, ...owner }
    }
    return typeof value === 'string' ? normalText(value, key) : value
  }
  const normalText = (value: string, key: string): string => {
    if (key === configHashAnnotation || key === 'configHash') return hashes.get(value) ?? 'no hash of a server that is there'
    // Versions of Secrets are in it, which no two runs have in common.
    if (key === secretVersionsAnnotation) return value.length > 1 ? 'a seal' : value
    if (key === appliedAnnotation) return value.length > 1 ? 'a digest' : value
    if (key === 'jwt-secret') return 'a key'
    return revision(value)
  }
  return new Map(compared.flatMap(kind => cluster.list(kind).map((object): [string, unknown] =>
    [`${kind.kind} ${String(metadataOf(object).name)}`, normal(object, kind.kind)])))
}

/** The same without the last restart of these servers, which has no meaning any more. */
export function withoutRestarts (snapshot: Snapshot, servers: ReadonlySet<string>): Snapshot {
  const objects = new Map(snapshot)
  for (const server of servers) {
    for (const key of [`StatefulSet ${server}`, `Pod ${server}-0`]) {
      const object = objects.get(key)
      if (isTree(object)) objects.set(key, withoutRestart(object))
    }
  }
  return objects
}

/** Of a StatefulSet or a pod. */
const withoutRestart = (object: Tree): Tree => [['metadata'], ['spec', 'template', 'metadata']].reduce((left, path) => {
  const annotations = at(left, ...path, 'annotations')
  if (!isTree(annotations)) return left
  return withLeaf(left, [...path, 'annotations'], without(annotations, restartedAtAnnotation))
}, object)

const isAccidental = (name: string, key: string) => accidental.has(name) ||
  (name === 'generation' && key !== 'DittoServer') || (name === 'observedGeneration' && key === 'StatefulSet')

/** The differences, one line for each path. */
export function differences (expected: unknown, found: unknown, path = ''): string[] {
  if (Object.is(expected, found)) return []
  if (expected instanceof Map && found instanceof Map) {
    return [...new Set([...expected.keys(), ...found.keys()])].flatMap(key => differences(expected.get(key), found.get(key), String(key)))
  }
  const [left, right] = [expected, found].map(value => typeof value === 'object' && value !== null ? value as Tree : undefined)
  if (left && right && Array.isArray(left) === Array.isArray(right)) {
    return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap(key => differences(left[key], right[key], `${path}.${key}`))
  }
  const short = (value: unknown) => (JSON.stringify(value) ?? 'nothing').slice(0, 300)
  return [`${path}: expected ${short(expected)}, found ${short(found)}`]
}
