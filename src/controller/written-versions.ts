import type { KindName } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'

/**
 * The newest resource version that this process wrote, per server and kind. Until the watch of that kind reaches it, the cache is older
 * than our writes. The entry is then removed.
 */
export class WrittenVersions {
  readonly #written = new Map<string, Map<KindName, Written>>()

  /** Number of servers with a write that the watches have not shown yet, as of the last check. */
  get size (): number { return this.#written.size }

  /** Records the reply to a write. `now`: monotonic milliseconds. */
  record (server: string, kind: KindName, reply: KubernetesObject, now: number): void {
    const version = asNumber(reply.metadata.resourceVersion)
    if (version === undefined) return
    const kinds = this.#written.get(server) ?? new Map<KindName, Written>()
    const before = kinds.get(kind)
    if (!before || before.version < version) kinds.set(kind, { version, at: now })
    this.#written.set(server, kinds)
  }

  /** Kinds whose watch has not reached our last write yet, and when the oldest of these writes was made. */
  behind (server: string, seen: (kind: KindName) => string | undefined): { readonly kinds: ReadonlySet<KindName>, readonly since: number } {
    const kinds = this.#written.get(server)
    if (!kinds) return { kinds: new Set(), since: Infinity }
    for (const [kind, { version }] of kinds) {
      if ((asNumber(seen(kind)) ?? -1n) >= version) kinds.delete(kind)
    }
    if (kinds.size === 0) this.#written.delete(server)
    return { kinds: new Set(kinds.keys()), since: Math.min(...Array.from(kinds.values(), ({ at }) => at)) }
  }

  forget (server: string): void { this.#written.delete(server) }
}

interface Written { readonly version: bigint, readonly at: number }

/**
 * Resource versions of one kind can be ordered as integers: Kubernetes guarantees this since 1.35, and etcd always did.
 * https://github.com/kubernetes/enhancements/issues/5504
 */
const asNumber = (version: string | undefined) => version !== undefined && /^[0-9]+$/.test(version) ? BigInt(version) : undefined
