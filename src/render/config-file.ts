import { stringify } from 'yaml'
import { effectiveBackend } from '../dittoserver/database.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'

/** The server reads a variable of the environment only for a key that its file has: these keys wait to be overridden. */
const postgres = (sslmode: string) => ({
  host: 'placeholder', port: 5432, database: 'placeholder', user: 'placeholder', password: 'placeholder', sslmode,
})

/** It goes into the ConfigMap, into the hash and into the comparison with the last pass: written once for all three. */
const texts = new WeakMap<DittoServer, string>()

/** The text of config.yaml. No value of a Secret is ever in it. */
export function configFile (server: DittoServer): string {
  const text = texts.get(server) ?? write(server)
  texts.set(server, text)
  return text
}

function write ({ spec }: DittoServer): string {
  const backend = effectiveBackend(spec)
  return stringify({
    logging: { level: 'INFO', format: 'json', output: 'stdout' },
    shutdown_timeout: '30s',
    database: backend === 'sqlite'
      ? { type: 'sqlite', sqlite: { path: spec.database.sqlite.path } }
      // Percona's own access rules admit nothing but TLS.
      : { type: 'postgres', postgres: postgres(backend === 'percona' ? 'require' : 'prefer') },
    // Newer servers listen on the loopback interface unless told otherwise, where no probe and no Service reaches them.
    metrics: { enabled: spec.metrics.enabled, host: '0.0.0.0', port: spec.metrics.port },
    controlplane: {
      host: '0.0.0.0',
      port: spec.controlPlane.port,
      jwt: {
        access_token_duration: spec.identity.jwt.accessTokenDuration, refresh_token_duration: spec.identity.jwt.refreshTokenDuration,
      },
    },
    cache: { path: spec.cache.path, size: spec.cache.size },
    admin: { username: spec.identity.admin.username },
  }, { lineWidth: 0 })
}
