import type { Cluster } from '../cluster/cluster.ts'
import { present, type Fact, type PerconaClusterFact, type PerconaOperatorFact, type SecretFact, type StorageClassFact } from '../rules/facts.ts'
import type { EmbeddedCluster } from './embedded-cluster.ts'

/** The state of a cluster after manifests are applied to it. */
export class OverlayCluster implements Cluster {
  readonly #below: Cluster
  readonly #above: EmbeddedCluster

  constructor (below: Cluster, above: EmbeddedCluster) {
    this.#below = below
    this.#above = above
  }

  async start (): Promise<void> { await this.#below.start() }
  async stop (): Promise<void> { await this.#below.stop() }
  stale (): string | undefined { return this.#below.stale() }

  async storageClass (name: string, signal: AbortSignal): Promise<Fact<StorageClassFact>> {
    const above = this.#above.storageClass(name)
    return above.state === 'present' ? above : await this.#below.storageClass(name, signal)
  }

  storageClasses (): Fact<readonly StorageClassFact[]> {
    const below = this.#below.storageClasses()
    const above = this.#above.storageClasses()
    if (below.state !== 'present' || above.state !== 'present') return below
    const classes = new Map([...below.value, ...above.value].map(found => [found.name, found]))
    return present([...classes.values()].sort((a, b) => a.name < b.name ? -1 : 1))
  }

  /** Applying a Secret keeps existing keys that the manifest does not have. */
  async secret (namespace: string, name: string, signal: AbortSignal): Promise<Fact<SecretFact>> {
    const above = this.#above.secret(namespace, name)
    const below = await this.#below.secret(namespace, name, signal)
    if (above.state !== 'present') return below
    return below.state === 'present' ? present({ lengths: new Map([...below.value.lengths, ...above.value.lengths]) }) : above
  }

  async perconaServed (signal: AbortSignal): Promise<Fact<true>> {
    const above = this.#above.perconaServed()
    return above.state === 'present' ? above : await this.#below.perconaServed(signal)
  }

  async perconaOperator (signal: AbortSignal): Promise<Fact<PerconaOperatorFact>> {
    const above = this.#above.perconaOperator()
    return above.state === 'present' ? above : await this.#below.perconaOperator(signal)
  }

  async perconaCluster (namespace: string, name: string, signal: AbortSignal): Promise<Fact<PerconaClusterFact>> {
    const above = this.#above.perconaCluster(namespace, name)
    return above.state === 'present' ? above : await this.#below.perconaCluster(namespace, name, signal)
  }
}
