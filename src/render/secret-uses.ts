import { effectiveBackend } from '../dittoserver/database.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import type { DittoServerSpec, SecretKeySelector } from '../dittoserver/schema.ts'
import { configFile } from './config-file.ts'
import { configHash, type SecretEntry } from './config-hash.ts'
import { jwtReference } from './jwt-secret.ts'
import { childNames } from './names.ts'
import { connectionKeys, parsePostgresUrl, type PostgresConnection } from './postgres-env-secret.ts'

/** A Secret that the pod reads, and the keys that it uses. */
export interface SecretUse {
  readonly prefix: 'jwt' | 'admin' | 'postgres' | 's3' | 'percona'
  readonly secret: string
  /** The one key that is required, or the keys of which any may exist. A change of other keys does not restart the pod. */
  readonly key?: string
  readonly keys?: readonly string[]
}

/** Every Secret that the pod reads, in a fixed order. */
export function secretUses (server: DittoServer): SecretUse[] {
  const { metadata: { name }, spec: { identity, database, s3 } } = server
  const jwt = jwtReference(server)
  const password = identity.admin.passwordSecretRef
  const backend = effectiveBackend(server.spec)
  return [
    { prefix: 'jwt', secret: jwt.name, key: jwt.key },
    ...(password?.name ? [{ prefix: 'admin' as const, secret: password.name, key: password.key }] : []),
    ...(backend === 'external' && database.postgresSecretRef ? [postgresUse(database.postgresSecretRef)] : []),
    ...(s3.credentialsSecretRef ? [s3Use(s3.credentialsSecretRef)] : []),
    ...(backend === 'percona' ? [{ prefix: 'percona' as const, secret: childNames(name).perconaUserSecret, key: 'uri' }] : []),
  ]
}

const postgresUse = ({ name, key }: SecretKeySelector): SecretUse =>
  ({ prefix: 'postgres', secret: name, keys: [key, ...connectionKeys] })

const s3Use = ({ secretName, accessKeyIdKey, secretAccessKeyKey, endpointKey }: S3Reference): SecretUse =>
  ({ prefix: 's3', secret: secretName, keys: [accessKeyIdKey, secretAccessKeyKey, endpointKey] })

type S3Reference = NonNullable<DittoServerSpec['s3']['credentialsSecretRef']>

/** The render inputs from the Secrets. No Secret value is kept except a connection that will be written to another Secret. */
export interface SecretDigest {
  readonly configHash: string
  readonly externalPostgres?: 'keys' | 'url'
  /** For an external PostgreSQL whose Secret contains a URL; only if it was read in this pass. */
  readonly connection?: PostgresConnection
  readonly missing: readonly string[]
}

/** Data of a Secret, in base64 as in the API; undefined if the Secret does not exist. */
export type SecretData = Readonly<Record<string, string>> | undefined

const decode = (value: string | undefined) => value === undefined ? undefined : Buffer.from(value, 'base64')

/** `secrets`: the data of each Secret that `uses` names. Pure. */
export function secretDigest (server: DittoServer, uses: readonly SecretUse[], secrets: ReadonlyMap<string, SecretData>): SecretDigest {
  const entries = uses.flatMap(({ prefix, secret, key, keys = [] }): SecretEntry[] => {
    const data = secrets.get(secret)
    if (key !== undefined) return [{ name: `${prefix}:${key}`, value: decode(data?.[key]) }]
    if (!data) return [{ name: `${prefix}:`, value: undefined }]
    const used = Object.keys(data).filter(each => keys.includes(each))
    return used.map(each => ({ name: `${prefix}:${each}`, value: decode(data[each]) }))
  })
  const missing = [...new Set(uses.filter(({ secret }) => !secrets.get(secret)).map(({ secret }) => secret))]
  const ref = server.spec.database.postgresSecretRef
  const base = { configHash: configHash(configFile(server), entries), missing }
  if (effectiveBackend(server.spec) !== 'external' || !ref) return base
  const url = decode(secrets.get(ref.name)?.[ref.key])?.toString() ?? ''
  const connection = parsePostgresUrl(url)
  return connection ? { ...base, externalPostgres: 'url', connection } : { ...base, externalPostgres: 'keys' }
}
