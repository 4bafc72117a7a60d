import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { childMetadata, childNames } from './names.ts'

export interface PostgresConnection {
  readonly host: string
  readonly port: string
  readonly database: string
  readonly user: string
  readonly password: string
  readonly sslmode: string
}

/** The same as keys of a Secret. */
export const connectionKeys: readonly (keyof PostgresConnection)[] = ['host', 'port', 'database', 'user', 'password', 'sslmode']

/** The default of libpq: TLS if the server offers it. */
const defaultSslmode = 'prefer'

/** The parts of a `postgres://` URL, percent-decoded; undefined if it is not such a URL, or has no host, database or user. */
export function parsePostgresUrl (text: string): PostgresConnection | undefined {
  const trimmed = text.trim()
  if (!/^postgres(ql)?:\/\//.test(trimmed) || !URL.canParse(trimmed)) return undefined
  const url = new URL(trimmed)
  try {
    const connection = {
      // An IPv6 address has brackets only in a URL.
      host: decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1'),
      port: url.port || '5432',
      database: decodeURIComponent(url.pathname.slice(1)),
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      sslmode: url.searchParams.get('sslmode') ?? defaultSslmode,
    }
    return connection.host && connection.database && connection.user ? connection : undefined
  } catch {
    return undefined // a lone `%`
  }
}

/**
 * The server needs the parts of a connection separately: the user's URL is split into a Secret that the operator creates, never into the
 * ConfigMap.
 */
export const postgresEnvSecret = (server: DittoServer, connection: PostgresConnection) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: childMetadata(server, childNames(server.metadata.name).postgresEnvSecret),
  type: 'Opaque',
  data: Object.fromEntries(Object.entries(connection).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
})
