import { stringify } from 'yaml'
import { effectiveBackend } from '../dittoserver/database.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'

/** The server reads an environment variable only if its file has the corresponding key: these keys are placeholders. */
const postgres = (sslmode: string) => ({
  host: 'placeholder', port: 5432, database: 'placeholder', user: 'placeholder', password: 'placeholder', sslmode,
})

/**
 * The texts of earlier calls, by their values as JSON. Each pass needs the text, most servers have the same one, and to write it as YAML
 * takes a millisecond.
 */
const texts = new Map<string, string>()
/** About 1 MB of texts. */
const mostTexts = 1000

/** The text of config.yaml. It never contains the value of a Secret. */
export function configFile (server: DittoServer): string {
  const values = configuration(server)
  const key = JSON.stringify(values)
  const known = texts.get(key)
  if (known !== undefined) return known
  const text = stringify(values, { lineWidth: 0 })
  if (texts.size >= mostTexts) texts.clear()
  texts.set(key, text)
  return text
}

function configuration ({ spec }: DittoServer) {
  const backend = effectiveBackend(spec)
  return {
    logging: { level: 'INFO', format: 'json', output: 'stdout' },
    shutdown_timeout: '30s',
    database: backend === 'sqlite'
      ? { type: 'sqlite', sqlite: { path: spec.database.sqlite.path } }
      // The access rules of Percona allow only TLS.
      : { type: 'postgres', postgres: postgres(backend === 'percona' ? 'require' : 'prefer') },
    // Newer servers listen only on the loopback interface by default, where probes and Services cannot reach them.
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
  }
}
