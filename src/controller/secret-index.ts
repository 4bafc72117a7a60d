import { objectKey, type KubernetesObject } from '../cluster/kubernetes-object.ts'
import { readDittoServer } from '../dittoserver/dittoserver.ts'
import { secretNames } from './secret-versions.ts'

/**
 * Maps each Secret to the servers that use it. Changes of servers update the index, so that a change of a Secret does not have to search
 * all servers.
 */
export class SecretIndex {
  readonly #servers = new Map<string, Set<string>>()
  readonly #secrets = new Map<string, readonly string[]>()

  /** Number of Secrets that a server uses. */
  get size (): number { return this.#servers.size }

  set (object: KubernetesObject): void {
    const server = objectKey(object.metadata)
    const secrets = secretNames(readDittoServer(object).server).map(name => objectKey({ namespace: object.metadata.namespace ?? '', name }))
    if (secrets.join() === this.#secrets.get(server)?.join()) return
    this.delete(server)
    this.#secrets.set(server, secrets)
    for (const secret of secrets) this.#servers.set(secret, (this.#servers.get(secret) ?? new Set()).add(server))
  }

  delete (server: string): void {
    for (const secret of this.#secrets.get(server) ?? []) {
      const users = this.#servers.get(secret)
      users?.delete(server)
      if (users?.size === 0) this.#servers.delete(secret)
    }
    this.#secrets.delete(server)
  }

  /** Whether any server uses the Secret `namespace/name`. */
  names (secret: string): boolean { return this.#servers.has(secret) }

  /** The servers that use the Secret `namespace/name`. */
  users (secret: string): Iterable<string> {
    return this.#servers.get(secret) ?? []
  }
}
