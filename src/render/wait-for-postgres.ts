import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { restrictedSecurityContext } from './security.ts'
import { childNames } from './names.ts'

const image = 'postgres:16-alpine'
/** The user `postgres` of the image. */
const user = 70
/** Seconds. After that the pod fails, and its restart is there to be seen. */
const limit = 300

/** A query, and not just an open port: it proves the credentials. The clock decides when to give up, not a count of tries. */
const script = `deadline=$(($(date +%s) + ${limit}))
until psql -tAc 'select 1' >/dev/null; do
  [ "$(date +%s)" -lt "$deadline" ] || { echo "PostgreSQL at $PGHOST did not answer within ${limit} s"; exit 1; }
  echo "waiting for PostgreSQL at $PGHOST"
  sleep 2
done`

/** Lets the server start only when its database answers. Percona only. */
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
  }
}
