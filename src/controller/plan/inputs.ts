import type { DittoServer } from '../../dittoserver/dittoserver.ts'
import type { RenderInputs } from '../../render/inputs.ts'
import { renderInputs } from '../../render/inputs.ts'
import { childNames, podName } from '../../render/names.ts'
import { secretVersionsAnnotation } from '../../render/stateful-set.ts'
import { secretDigest, secretUses, type SecretDigest } from '../../render/secret-uses.ts'
import { present, type Observed, type SecretAsRead } from '../observed.ts'
import { absentVersion, hashOn, sealVersions } from '../secret-versions.ts'
import { effectiveBackend } from '../../dittoserver/database.ts'

/** The render inputs from the Secrets. Undefined: the Secrets cannot be read. */
export function digestOf (observed: Observed): SecretDigest | undefined {
  const { server, secrets } = observed
  switch (secrets.state) {
    case 'unknown': return undefined
    case 'read': return secretDigest(server, secretUses(server), new Map([...secrets.secrets].map(([name, { data }]) => [name, data])))
    case 'unchanged': {
      const { statefulSet, postgresEnvSecret } = childNames(server.metadata.name)
      const configHash = hashOn(present(observed, 'StatefulSet', statefulSet)) ?? ''
      if (effectiveBackend(server.spec) !== 'external') return { configHash, missing: [] }
      // The versions are those of the last read. So the split connection exists if, and only if, there was a URL.
      return { configHash, missing: [], externalPostgres: present(observed, 'Secret', postgresEnvSecret) ? 'url' : 'keys' }
    }
  }
}

/**
 * Undefined: the next pass must read the Secrets again. A sealed StatefulSet implies that the split connection exists if, and only if,
 * there is a URL. That does not hold while our Secret is being deleted, or while a Secret of someone else has its name.
 */
function sealOf (server: DittoServer, digest: SecretDigest, secrets: ReadonlyMap<string, SecretAsRead>): string | undefined {
  const isSplit = secrets.has(childNames(server.metadata.name).postgresEnvSecret)
  if (isSplit !== (digest.externalPostgres === 'url')) return undefined
  return sealVersions(server, digest.configHash, name => secrets.get(name)?.version ?? absentVersion)
}

/** All render inputs besides the DittoServer. Undefined: some of them are unknown. */
export function inputsOf (observed: Observed): RenderInputs | undefined {
  const { server, secrets } = observed
  const digest = digestOf(observed)
  if (!digest) return undefined
  const { statefulSet, perconaCluster } = childNames(server.metadata.name)
  const existing = present(observed, 'StatefulSet', statefulSet)
  const secretVersions = secrets.state === 'read' ? sealOf(server, digest, secrets.secrets) : existing?.metadata.annotations?.[secretVersionsAnnotation]
  return {
    ...renderInputs(server, digest, {
      statefulSet: existing,
      pod: present(observed, 'Pod', podName(server.metadata.name)),
      perconaCluster: present(observed, 'PerconaPGCluster', perconaCluster),
      perconaOperator: observed.perconaOperator,
    }),
    ...(secretVersions === undefined ? {} : { secretVersions }),
  }
}
