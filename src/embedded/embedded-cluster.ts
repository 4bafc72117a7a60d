import type { Cluster } from '../cluster/cluster.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { percona } from '../dittoserver/api.ts'
import { readMetadata } from '../dittoserver/metadata.ts'
import { isObject } from '../dittoserver/structural.ts'
import { perconaClusterFact } from '../percona/existing-cluster.ts'
import { versionOnCrd } from '../percona/installed-version.ts'
import { absent, present, type Fact, type PerconaClusterFact, type PerconaOperatorFact, type SecretFact, type StorageClassFact } from '../rules/facts.ts'
import { groupOf, type Manifest } from './manifests.ts'

/** Annotations that mark a StorageClass as the default; the second is the older name, which Kubernetes still accepts. */
const defaultClassAnnotations = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class']

/** A cluster that consists of manifests: an object that is not among them does not exist. */
export class EmbeddedCluster implements Cluster {
  readonly #manifests: () => readonly Manifest[]
  /** Computed once for each state of the folder, which is a new array after each change. */
  #classes: { readonly of: readonly Manifest[], readonly found: readonly StorageClassFact[] } | undefined

  constructor (manifests: () => readonly Manifest[]) {
    this.#manifests = manifests
  }

  async start (): Promise<void> {}
  async stop (): Promise<void> {}
  stale (): string | undefined { return undefined }

  #find (group: string, kind: string): Manifest[] {
    return this.#manifests().filter(manifest => manifest.kind === kind && groupOf(manifest) === group)
  }

  /** Sorted by name. */
  #storageClasses (): readonly StorageClassFact[] {
    const manifests = this.#manifests()
    if (this.#classes?.of === manifests) return this.#classes.found
    const classes = this.#find('storage.k8s.io', 'StorageClass').map(({ name, object }): StorageClassFact => {
      const { annotations } = readMetadata(object.metadata)
      return {
        name,
        isDefault: defaultClassAnnotations.some(annotation => annotations[annotation] === 'true'),
        allowVolumeExpansion: object.allowVolumeExpansion === true,
      }
    })
    // If two manifests define the same object, the last one counts, as if they had been applied in turn.
    const byName = new Map(classes.filter(({ name }) => name !== '').map(found => [found.name, found]))
    const found = [...byName.values()].sort((a, b) => a.name < b.name ? -1 : 1)
    this.#classes = { of: manifests, found }
    return found
  }

  storageClasses (): Fact<readonly StorageClassFact[]> {
    return present(this.#storageClasses())
  }

  storageClass (name: string): Fact<StorageClassFact> {
    const found = this.#storageClasses().find(candidate => candidate.name === name)
    return found ? present(found) : absent
  }

  secret (namespace: string, name: string): Fact<SecretFact> {
    const found = this.#find('', 'Secret').findLast(secret => secret.name === name && secret.namespace === namespace)
    return found ? present({ lengths: secretLengths(found.object) }) : absent
  }

  perconaServed (): Fact<true> {
    return this.#perconaCrd() ? present(true) : absent
  }

  perconaOperator (): Fact<PerconaOperatorFact> {
    const crd = this.#perconaCrd()
    return crd ? present({ version: versionOnCrd(crd.object as unknown as KubernetesObject) }) : absent
  }

  perconaCluster (namespace: string, name: string): Fact<PerconaClusterFact> {
    const found = this.#find(percona.group, percona.kind)
      .findLast(cluster => cluster.name === name && cluster.namespace === namespace)
    return found ? present(perconaClusterFact(found.object as unknown as KubernetesObject)) : absent
  }

  #perconaCrd (): Manifest | undefined {
    return this.#find('apiextensions.k8s.io', 'CustomResourceDefinition').findLast(crd => crd.name === percona.crdName)
  }
}

/** `stringData` overrides `data`, as when the API server merges them. */
function secretLengths ({ data, stringData }: Readonly<Record<string, unknown>>): Map<string, number> {
  const lengths = new Map<string, number>()
  for (const [key, value] of Object.entries(isObject(data) ? data : {})) {
    lengths.set(key, [...Buffer.from(String(value ?? ''), 'base64').toString()].length)
  }
  for (const [key, value] of Object.entries(isObject(stringData) ? stringData : {})) lengths.set(key, [...String(value ?? '')].length)
  return lengths
}
