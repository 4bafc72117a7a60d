import type { KindName } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { render } from './index.ts'
import { renderInputs } from './inputs.ts'
import { jwtReference, jwtSecret, managedJwtKey, newSigningKey } from './jwt-secret.ts'
import { childNames } from './names.ts'
import { postgresEnvSecret } from './postgres-env-secret.ts'
import { secretDigest, secretUses, type SecretData } from './secret-uses.ts'

/** Reads an object of a cluster, or of what stands in for one; undefined where it does not exist. */
export type ReadObject = (kind: KindName, namespace: string, name: string) => Promise<KubernetesObject | undefined>

/**
 * Every object that the reconcile loop would bring about, in the same order and by the same renderers, from one look at the
 * cluster. The signing key is made only where none exists, so it differs each time until it is kept somewhere.
 */
export async function renderOffline (server: DittoServer, read: ReadObject): Promise<KubernetesObject[]> {
  const { name, namespace } = server.metadata
  const uses = secretUses(server)
  const secrets = new Map<string, SecretData>()
  for (const { secret } of uses) {
    const found = await read('Secret', namespace, secret)
    secrets.set(secret, found && (found.data ?? {}) as SecretData)
  }
  const made: object[] = []
  const jwt = jwtReference(server)
  if (jwt.managed && !secrets.get(jwt.name)?.[managedJwtKey]) {
    const key = newSigningKey()
    made.push(jwtSecret(server, key))
    secrets.set(jwt.name, { [managedJwtKey]: Buffer.from(key).toString('base64') })
  }
  const digest = secretDigest(server, uses, secrets)
  if (digest.connection) made.push(postgresEnvSecret(server, digest.connection))
  const inputs = renderInputs(server, digest, {
    statefulSet: await read('StatefulSet', namespace, name),
    perconaCluster: await read('PerconaPGCluster', namespace, childNames(name).perconaCluster),
  })
  const objects = [...made as KubernetesObject[], ...render(server, inputs).flatMap(({ object }) => object ?? [])]
  return server.metadata.uid === '' ? objects.map(withoutOwner) : objects
}

/** A server that is not in a cluster has no uid that anything could refer to. */
function withoutOwner (object: KubernetesObject): KubernetesObject {
  const { ownerReferences: _, ...metadata } = object.metadata
  return { ...object, metadata }
}
