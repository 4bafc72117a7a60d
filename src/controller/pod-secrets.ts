import { createHash } from 'node:crypto'
import type { ApiClient } from '../cluster/api-client.ts'
import { hasStatus } from '../cluster/api-error.ts'
import { createRequest, mergePatchRequest } from '../cluster/api-requests.ts'
import { kinds } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { resourcePath } from '../cluster/resource-path.ts'
import { fieldManager } from '../dittoserver/api.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { configFile } from '../render/config-file.ts'
import { jwtReference, jwtSecret, managedJwtKey, newSigningKey } from '../render/jwt-secret.ts'
import { secretDigest, secretUses, type SecretData, type SecretDigest, type SecretUse } from '../render/secret-uses.ts'
import { ForeignObject } from './apply.ts'
import type { LiveObjects } from './live-objects.ts'

/** Reads Secrets by name, and again only when their version or the configuration changes. */
export class PodSecrets {
  readonly #client: ApiClient
  readonly #live: LiveObjects
  readonly #known = new Map<string, { readonly versions: string, readonly digest: SecretDigest }>()

  constructor (client: ApiClient, live: LiveObjects) {
    this.#client = client
    this.#live = live
  }

  /** After a pass that failed: what it read may not have reached the cluster. */
  forget (key: string): void { this.#known.delete(key) }

  /** @throws for any failure but absence: a hash without a Secret that is there would restart the pod twice */
  async digest (server: DittoServer, signal: AbortSignal, fence: () => void): Promise<SecretDigest> {
    const { namespace, name } = server.metadata
    const uses = secretUses(server)
    const versions = this.#versions(server, uses)
    const known = this.#known.get(`${namespace}/${name}`)
    if (known?.versions === versions) return known.digest
    const secrets = new Map<string, SecretData>()
    const jwt = jwtReference(server)
    for (const { secret } of uses) {
      // Of ours that the watch does not know, the attempt to make it tells whether it exists.
      const isNew = jwt.managed && secret === jwt.name && !this.#live.get('Secret', namespace, secret)
      if (!isNew && !secrets.has(secret)) secrets.set(secret, await this.#read(namespace, secret, signal))
    }
    if (jwt.managed && !secrets.get(jwt.name)?.[managedJwtKey]) secrets.set(jwt.name, await this.#makeSigningKey(server, signal, fence))
    const digest = secretDigest(server, uses, secrets)
    const { connection, ...kept } = digest
    this.#known.set(`${namespace}/${name}`, { versions, digest: kept })
    return digest
  }

  #versions (server: DittoServer, uses: readonly SecretUse[]): string {
    const { namespace } = server.metadata
    const config = createHash('sha256').update(configFile(server)).digest('hex')
    return [config, ...uses.map(({ prefix, secret, key = '*' }) => {
      const { uid, resourceVersion } = this.#live.get('Secret', namespace, secret)?.metadata ?? {}
      return `${prefix}:${secret}/${key}=${uid ?? ''}@${resourceVersion ?? ''}`
    })].join(' ')
  }

  async #read (namespace: string, name: string, signal: AbortSignal): Promise<SecretData> {
    const secret = await this.#live.read('Secret', namespace, name, signal)
    return secret && ((secret.data ?? {}) as Record<string, string>)
  }

  async #makeSigningKey (server: DittoServer, signal: AbortSignal, fence: () => void): Promise<SecretData> {
    const rendered = jwtSecret(server, newSigningKey())
    const { namespace, name } = rendered.metadata
    fence()
    try {
      const made = await this.#client.request<KubernetesObject>({
        ...createRequest(resourcePath(kinds.Secret, { namespace }), rendered), query: { fieldManager }, signal,
      })
      this.#live.wrote('Secret', made)
      return made.data as SecretData
    } catch (error) {
      if (!hasStatus(error, 409)) throw error
    }
    const existing = await this.#live.read('Secret', namespace, name, signal)
    const isOurs = existing?.metadata.ownerReferences?.some(({ uid }) => uid === server.metadata.uid)
    if (!existing || !isOurs) throw new ForeignObject('Secret', name)
    const data = existing.data as SecretData
    if (data?.[managedJwtKey]) return data
    const path = resourcePath(kinds.Secret, { namespace, name })
    return (await this.#client.request<KubernetesObject>({
      ...mergePatchRequest(path, { stringData: rendered.stringData }, fieldManager), signal,
    })).data as SecretData
  }
}
