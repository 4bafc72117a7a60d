import { effectiveBackend } from '../dittoserver/database.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { configFile } from './config-file.ts'
import { configHash, type SecretEntry } from './config-hash.ts'
import { jwtReference } from './jwt-secret.ts'
import { childNames } from './names.ts'
import { parsePostgresUrl, type PostgresConnection } from './postgres-env-secret.ts'

/** A Secret that the pod reads, and which of its keys count. */
export interface SecretUse {
  readonly prefix: 'jwt' | 'admin' | 'postgres' | 's3' | 'percona'
  readonly secret: string
  /** Absent: every key. */
  readonly key?: string
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

/** Data of a Secret, in base64 as the API has it; undefined where the Secret does not exist. */
export type SecretData = Readonly<Record<string, string>> | undefined

const decode = (value: string | undefined) => value === undefined ? undefined : Buffer.from(value, 'base64')

/** `secrets`: the data of each Secret that `uses` names. Pure. */
export function secretDigest (server: DittoServer, uses: readonly SecretUse[], secrets: ReadonlyMap<string, SecretData>): SecretDigest {
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
