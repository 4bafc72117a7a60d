import type { Cluster } from '../cluster/cluster.ts'
import { percona } from '../dittoserver/api.ts'
import { isObject } from '../dittoserver/structural.ts'
import { absent, present, type Fact, type SecretFact, type StorageClassFact } from '../rules/facts.ts'
import type { Manifest } from './manifests.ts'

/** Annotations that make a StorageClass the default one; the second is the older spelling, which Kubernetes still honours. */
const defaultClassAnnotations = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class']

/** Objects that give no namespace are in this one, as with kubectl. */
export const defaultNamespace = 'default'

export const nameOf = ({ object }: Manifest) => metadataOf(object).name
export const namespaceOf = ({ object }: Manifest) => metadataOf(object).namespace || defaultNamespace

/** The core group has no name: `v1`. */
const groupOf = ({ apiVersion }: Manifest) => apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''

interface Metadata { readonly name: string, readonly namespace: string, readonly annotations: Readonly<Record<string, unknown>> }

export function metadataOf (object: Readonly<Record<string, unknown>>): Metadata {
  const metadata = isObject(object.metadata) ? object.metadata : {}
  return {
    name: typeof metadata.name === 'string' ? metadata.name : '',
    namespace: typeof metadata.namespace === 'string' ? metadata.namespace : '',
    annotations: isObject(metadata.annotations) ? metadata.annotations : {},
  }
}

/** A cluster that consists of manifests: what is not among them is definitely absent. */
export class EmbeddedCluster implements Cluster {
  readonly #manifests: () => readonly Manifest[]
  /** Worked out once for a state of the folder, which is a new array each time that it changes. */
  #classes: { readonly of: readonly Manifest[], readonly fact: Fact<readonly StorageClassFact[]> } | undefined

  constructor (manifests: () => readonly Manifest[]) {
    this.#manifests = manifests
  }

  async start (): Promise<void> {}
  async stop (): Promise<void> {}
  notReady (): string | undefined { return undefined }

  #find (group: string, kind: string): Manifest[] {
    return this.#manifests().filter(manifest => manifest.kind === kind && groupOf(manifest) === group)
  }

  storageClasses (): Fact<readonly StorageClassFact[]> {
    const manifests = this.#manifests()
    if (this.#classes?.of === manifests) return this.#classes.fact
    const classes = this.#find('storage.k8s.io', 'StorageClass').map(({ object }): StorageClassFact => {
      const { name, annotations } = metadataOf(object)
      return {
        name,
        isDefault: defaultClassAnnotations.some(annotation => annotations[annotation] === 'true'),
        allowVolumeExpansion: object.allowVolumeExpansion === true,
      }
    })
    // Of two manifests of one object the later counts, as if they had been applied in turn.
    const byName = new Map(classes.map(found => [found.name, found]))
    const fact = present([...byName.values()].sort((a, b) => a.name < b.name ? -1 : 1))
    this.#classes = { of: manifests, fact }
    return fact
  }

  storageClass (name: string): Fact<StorageClassFact> {
    const classes = this.storageClasses()
    const found = classes.state === 'present' ? classes.value.find(candidate => candidate.name === name) : undefined
    return found ? present(found) : absent
  }

  secret (namespace: string, name: string): Fact<SecretFact> {
    const found = this.#find('', 'Secret').findLast(secret => nameOf(secret) === name && namespaceOf(secret) === namespace)
    return found ? present({ lengths: secretLengths(found.object) }) : absent
  }

  perconaServed (): Fact<true> {
    const found = this.#find('apiextensions.k8s.io', 'CustomResourceDefinition').some(crd => nameOf(crd) === percona.crdName)
    return found ? present(true) : absent
  }
}

/** `stringData` wins over `data`, as it does when the API server merges the two. */
function secretLengths ({ data, stringData }: Readonly<Record<string, unknown>>): Map<string, number> {
  const lengths = new Map<string, number>()
  for (const [key, value] of Object.entries(isObject(data) ? data : {})) {
    lengths.set(key, [...Buffer.from(String(value ?? ''), 'base64').toString()].length)
  }
  for (const [key, value] of Object.entries(isObject(stringData) ? stringData : {})) lengths.set(key, [...String(value ?? '')].length)
  return lengths
}
