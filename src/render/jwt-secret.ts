import { randomBytes } from 'node:crypto'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import { childMetadata, childNames } from './names.ts'

export const managedJwtKey = 'jwt-secret'

/** Name and key of the signing key: the user's Secret, or the one that the operator creates. */
export function jwtReference ({ metadata, spec: { identity: { jwt: { secretRef } } } }: DittoServer) {
  return secretRef?.name
    ? { name: secretRef.name, key: secretRef.key, managed: false }
    : { name: childNames(metadata.name).jwtSecret, key: managedJwtKey, managed: true }
}

/** 256 uniformly random bits: 43 characters; the server requires 32. */
export const newSigningKey = (): string => randomBytes(32).toString('base64url')

/** Created once: a new key would end every session. */
export const jwtSecret = (server: DittoServer, signingKey: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: childMetadata(server, childNames(server.metadata.name).jwtSecret),
  type: 'Opaque',
  stringData: { [managedJwtKey]: signingKey },
})
