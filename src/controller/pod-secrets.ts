import { createHash } from 'node:crypto'
import type { ApiClient } from '../cluster/api-client.ts'
import { hasStatus } from '../cluster/api-error.ts'
import { createRequest, mergePatchRequest } from '../cluster/api-requests.ts'
import { kinds } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { resourcePath } from '../cluster/resource-path.ts'
import { fieldManager } from '../dittoserver/api.ts'
import { effectiveBackend } from '../dittoserver/database.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { configFile } from '../render/config-file.ts'
import { configHash, type SecretEntry } from '../render/config-hash.ts'
import { jwtReference, jwtSecret, managedJwtKey, newSigningKey } from '../render/jwt-secret.ts'
import { childNames } from '../render/names.ts'
import { parsePostgresUrl, type PostgresConnection } from '../render/postgres-env-secret.ts'
import { ForeignObject } from './apply.ts'
import type { LiveObjects } from './live-objects.ts'

/** A Secret that the pod reads, and which of its keys count. */
interface Use {
  readonly prefix: 'jwt' | 'admin' | 'postgres' | 's3' | 'percona'
  readonly secret: string
  /** Absent: every key. */
  readonly key?: string
}

/** Every Secret that the pod reads, in a fixed order. */
export function secretUses (server: DittoServer): Use[] {
  const { metadata: { name }, spec: { identity, database, s3 } } = server
  const jwt = jwtReference(server)
  const password = identity.admin.passwordSecretRef
  const backend = effectiveBackend(server.spec)
  return [
    { prefix: 'jwt', secret: jwt.name, key: jwt.key },
    ...(password?.name ? [{ prefix: 'admin' as const, secret: password.name, key: password.key }] : []),
    ...(backend === 'external' && database.postgresSecretRef ? [{ prefix: 'postgres' as const, secret: database.postgresSecretRef.name }] : []),
    ...(s3.credentialsSecretRef ? [{ prefix: 's3' as const, secret: s3.credentialsSecretRef.secretName }] : []),
    ...(backend === 'percona' ? [{ prefix: 'percona' as const, secret: childNames(name).perconaUserSecret, key: 'uri' }] : []),
  ]
}

/** What the Secrets come to. No value of a Secret is kept but a connection that is about to be written into another. */
export interface SecretDigest {
  readonly configHash: string
  readonly externalPostgres?: 'keys' | 'url'
  /** Of an external PostgreSQL whose Secret holds a URL; only when it was read in this pass. */
  readonly connection?: PostgresConnection
  readonly missing: readonly string[]
}

type Data = Readonly<Record<string, string>> | undefined

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
    const secrets = new Map<string, Data>()
    for (const { secret } of uses) if (!secrets.has(secret)) secrets.set(secret, await this.#read(namespace, secret, signal))
    const jwt = jwtReference(server)
    if (jwt.managed && !secrets.get(jwt.name)?.[managedJwtKey]) secrets.set(jwt.name, await this.#makeSigningKey(server, signal, fence))
    const digest = digestOf(server, uses, secrets)
    const { connection, ...kept } = digest
    this.#known.set(`${namespace}/${name}`, { versions, digest: kept })
    return digest
  }

  #versions (server: DittoServer, uses: readonly Use[]): string {
    const { namespace } = server.metadata
    const config = createHash('sha256').update(configFile(server)).digest('hex')
    return [config, ...uses.map(({ prefix, secret, key = '*' }) => {
      const { uid, resourceVersion } = this.#live.get('Secret', namespace, secret)?.metadata ?? {}
      return `${prefix}:${secret}/${key}=${uid ?? ''}@${resourceVersion ?? ''}`
    })].join(' ')
  }

  async #read (namespace: string, name: string, signal: AbortSignal): Promise<Data> {
    const secret = await this.#live.read('Secret', namespace, name, signal)
    return secret && ((secret.data ?? {}) as Record<string, string>)
  }

  async #makeSigningKey (server: DittoServer, signal: AbortSignal, fence: () => void): Promise<Data> {
    const rendered = jwtSecret(server, newSigningKey())
    const { namespace, name } = rendered.metadata
    fence()
    try {
      const made = await this.#client.request<KubernetesObject>({
        ...createRequest(resourcePath(kinds.Secret, { namespace }), rendered), query: { fieldManager }, signal,
      })
      return made.data as Data
    } catch (error) {
      if (!hasStatus(error, 409)) throw error
    }
    const existing = await this.#live.read('Secret', namespace, name, signal)
    const isOurs = existing?.metadata.ownerReferences?.some(({ uid }) => uid === server.metadata.uid)
    if (!existing || !isOurs) throw new ForeignObject('Secret', name)
    const data = existing.data as Data
    if (data?.[managedJwtKey]) return data
    const path = resourcePath(kinds.Secret, { namespace, name })
    return (await this.#client.request<KubernetesObject>({
      ...mergePatchRequest(path, { stringData: rendered.stringData }, fieldManager), signal,
    })).data as Data
  }
}

const decode = (value: string | undefined) => value === undefined ? undefined : Buffer.from(value, 'base64')

/** Pure. */
function digestOf (server: DittoServer, uses: readonly Use[], secrets: ReadonlyMap<string, Data>): SecretDigest {
  const entries = uses.flatMap(({ prefix, secret, key }): SecretEntry[] => {
    const data = secrets.get(secret)
    if (key !== undefined) return [{ name: `${prefix}:${key}`, value: decode(data?.[key]) }]
    return data ? Object.keys(data).map(each => ({ name: `${prefix}:${each}`, value: decode(data[each]) })) : [{ name: `${prefix}:`, value: undefined }]
  })
  const missing = [...new Set(uses.filter(({ secret }) => !secrets.get(secret)).map(({ secret }) => secret))]
  const ref = server.spec.database.postgresSecretRef
  const base = { configHash: configHash(configFile(server), entries), missing }
  if (effectiveBackend(server.spec) !== 'external' || !ref) return base
  const url = decode(secrets.get(ref.name)?.[ref.key])?.toString() ?? ''
  const connection = parsePostgresUrl(url)
  return connection ? { ...base, externalPostgres: 'url', connection } : { ...base, externalPostgres: 'keys' }
}
