import type { KindName } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { percona } from '../dittoserver/api.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { versionOnCrd } from '../percona/installed-version.ts'
import { render } from './index.ts'
import { renderInputs } from './inputs.ts'
import { jwtReference, jwtSecret, managedJwtKey, newSigningKey } from './jwt-secret.ts'
import { childNames } from './names.ts'
import { postgresEnvSecret } from './postgres-env-secret.ts'
import { secretDigest, secretUses, type SecretData } from './secret-uses.ts'

/**
 * Reads an object from a cluster, or from its replacement; undefined if the object does not exist. The namespace is ignored for
 * cluster-scoped kinds.
 */
export type ReadObject = (kind: KindName, namespace: string, name: string) => Promise<KubernetesObject | undefined>

/**
 * All objects that the reconcile loop would create, in the same order and with the same renderers, from one observation of the cluster. A
 * signing key is generated only if none exists, so it differs each time until it is stored.
 */
export async function renderOffline (server: DittoServer, read: ReadObject, signingKey = newSigningKey()): Promise<KubernetesObject[]> {
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
    made.push(jwtSecret(server, signingKey))
    secrets.set(jwt.name, { [managedJwtKey]: Buffer.from(signingKey).toString('base64') })
  }
  const digest = secretDigest(server, uses, secrets)
  if (digest.connection) made.push(postgresEnvSecret(server, digest.connection))
  const inputs = renderInputs(server, digest, {
    statefulSet: await read('StatefulSet', namespace, name),
    pod: undefined,
    perconaCluster: await read('PerconaPGCluster', namespace, childNames(name).perconaCluster),
    perconaOperator: await perconaOperator(server, read),
  })
  const objects = [...made as KubernetesObject[], ...render(server, inputs).flatMap(({ object }) => object ?? [])]
  return server.metadata.uid === '' ? objects.map(withoutOwner) : objects
}

async function perconaOperator (server: DittoServer, read: ReadObject): Promise<string | undefined> {
  const crd = server.spec.percona.enabled ? await read('CustomResourceDefinition', '', percona.crdName) : undefined
  return crd && versionOnCrd(crd)
}

/** A server that is not in a cluster has no uid, so nothing can refer to it. */
function withoutOwner (object: KubernetesObject): KubernetesObject {
  const { ownerReferences: _, ...metadata } = object.metadata
  return { ...object, metadata }
}
