import { createHash } from 'node:crypto'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { effectiveBackend } from '../dittoserver/database.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { configFile } from '../render/config-file.ts'
import { templateAnnotations } from '../render/inputs.ts'
import { childNames } from '../render/names.ts'
import { secretUses } from '../render/secret-uses.ts'
import { configHashAnnotation, secretVersionsAnnotation } from '../render/stateful-set.ts'

// An annotation of the StatefulSet identifies the inputs of its config hash. As long as no version changes, no process has to read the
// Secrets.

export const absentVersion = 'absent'

export const versionOf = ({ metadata: { uid = '', resourceVersion = '' } }: KubernetesObject) => `${uid}@${resourceVersion}`

/** Names of the Secrets whose data matters, without duplicates: those that the pod reads, and the one with an external connection. */
export function secretNames (server: DittoServer): string[] {
  const split = effectiveBackend(server.spec) === 'external' ? [childNames(server.metadata.name).postgresEnvSecret] : []
  return [...new Set([...secretUses(server).map(({ secret }) => secret), ...split])]
}

/** The value of the annotation. It is valid for one hash only, so that an edited hash is not mistaken for ours. */
export function sealVersions (server: DittoServer, hash: string, versionOfSecret: (name: string) => string): string {
  const versions = secretNames(server).map(name => `${name}=${versionOfSecret(name)}`)
  const parts = [configFile(server), hash, JSON.stringify(secretUses(server)), ...versions]
  const sealed = createHash('sha256')
  for (const part of parts) sealed.update(`${Buffer.byteLength(part)}:`).update(part)
  return sealed.digest('hex').slice(0, 32)
}

/** The hash on the pod template of a StatefulSet. */
export const hashOn = (statefulSet: KubernetesObject | undefined): string | undefined =>
  statefulSet && templateAnnotations(statefulSet)[configHashAnnotation]

/** Whether the hash on the StatefulSet was computed from these versions. */
export function isSealed (
  server: DittoServer, statefulSet: KubernetesObject | undefined, versionOfSecret: (name: string) => string,
): boolean {
  const hash = hashOn(statefulSet)
  return hash !== undefined &&
    statefulSet?.metadata.annotations?.[secretVersionsAnnotation] === sealVersions(server, hash, versionOfSecret)
}
