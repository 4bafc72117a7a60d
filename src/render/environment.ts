import { effectiveBackend } from '../dittoserver/database.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import type { RenderInputs } from './inputs.ts'
import { jwtReference } from './jwt-secret.ts'
import { childNames } from './names.ts'

const literal = (name: string, value: string) => ({ name, value })
const fromSecret = (name: string, secret: string, key: string, optional = false) =>
  ({ name, valueFrom: { secretKeyRef: { name: secret, key, ...(optional ? { optional: true } : {}) } } })

/** Variables that override the placeholders in config.yaml, by the key of the Secret that contains the value. */
const postgres = (secret: string, keys: Readonly<Record<string, string>>, optional: readonly string[] = []) =>
  Object.entries(keys).map(([part, key]) => fromSecret(`DITTOFS_DATABASE_POSTGRES_${part}`, secret, key, optional.includes(part)))

const ownKeys = { HOST: 'host', PORT: 'port', DATABASE: 'database', USER: 'user', PASSWORD: 'password', SSLMODE: 'sslmode' }

function database (server: DittoServer, { externalPostgres }: RenderInputs) {
  const { metadata: { name }, spec } = server
  switch (effectiveBackend(spec)) {
    case 'sqlite': return []
    case 'percona': return postgres(childNames(name).perconaUserSecret, {
      HOST: 'host', PORT: 'port', DATABASE: 'dbname', USER: 'user', PASSWORD: 'password',
    })
    case 'external': return externalPostgres === 'url'
      ? postgres(childNames(name).postgresEnvSecret, ownKeys)
      : postgres(spec.database.postgresSecretRef?.name ?? '', ownKeys, ['PORT', 'SSLMODE'])
  }
}

/** The environment of the server: credentials first, then S3, then the database. */
export function environment (server: DittoServer, inputs: RenderInputs) {
  const { spec: { identity, s3 } } = server
  const jwt = jwtReference(server)
  const password = identity.admin.passwordSecretRef
  const credentials = s3.credentialsSecretRef
  return [
    fromSecret('DITTOFS_CONTROLPLANE_SECRET', jwt.name, jwt.key),
    ...(password ? [fromSecret('DITTOFS_ADMIN_INITIAL_PASSWORD', password.name, password.key)] : []),
    ...(credentials
      ? [
          fromSecret('AWS_ACCESS_KEY_ID', credentials.secretName, credentials.accessKeyIdKey),
          fromSecret('AWS_SECRET_ACCESS_KEY', credentials.secretName, credentials.secretAccessKeyKey),
          fromSecret('AWS_ENDPOINT_URL', credentials.secretName, credentials.endpointKey, true),
          ...(s3.region ? [literal('AWS_REGION', s3.region)] : []),
        ]
      : []),
    ...database(server, inputs),
  ]
}
