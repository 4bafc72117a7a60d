import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { restrictedSecurityContext } from './security.ts'
import { childNames } from './names.ts'

const image = 'postgres:16-alpine'
/** The UID of the user `postgres` in the image. */
const user = 70
/** Seconds. After that the pod fails, and its restarts are visible. */
const limit = 300

/** Runs a query instead of only testing the port: this verifies the credentials. The timeout uses the clock, not a number of attempts. */
const script = `deadline=$(($(date +%s) + ${limit}))
until psql -tAc 'select 1' >/dev/null; do
  [ "$(date +%s)" -lt "$deadline" ] || { echo "PostgreSQL at $PGHOST did not answer within ${limit} s"; exit 1; }
  echo "waiting for PostgreSQL at $PGHOST"
  sleep 2
done`

/** Delays the start of the server until its database answers. Percona only. */
export function waitForPostgres ({ metadata: { name } }: DittoServer) {
  const secret = childNames(name).perconaUserSecret
  const variables = { PGHOST: 'host', PGPORT: 'port', PGUSER: 'user', PGPASSWORD: 'password', PGDATABASE: 'dbname' }
  return {
    name: 'wait-for-postgres',
    image,
    command: ['/bin/sh', '-c', script],
    env: [
      ...Object.entries(variables).map(([variable, key]) => ({ name: variable, valueFrom: { secretKeyRef: { name: secret, key } } })),
      { name: 'PGSSLMODE', value: 'require' },
      { name: 'PGCONNECT_TIMEOUT', value: '5' },
    ],
    securityContext: { ...restrictedSecurityContext, runAsUser: user },
    terminationMessagePolicy: 'FallbackToLogsOnError',
  }
}
