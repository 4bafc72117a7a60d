import type { ApiClient } from '../../cluster/api-client.ts'
import { hasStatus } from '../../cluster/api-error.ts'
import { createRequest } from '../../cluster/api-requests.ts'
import { findObject } from '../../cluster/find-object.ts'
import type { KubernetesObject } from '../../cluster/kubernetes-object.ts'
import { resourcePath } from '../../cluster/resource-path.ts'
import { secretResource } from '../../cluster/secret.ts'
import type { SecretFields } from './secret-contents.ts'

export interface StoredSecret extends SecretFields {
  /** The object as read. A write keeps the fields that the operator does not own. The resourceVersion makes the write conditional. */
  readonly object?: KubernetesObject
}

/** Reads and writes the Secret. Both methods reject if the API server refuses the request. */
export interface SecretStore {
  /** The result is at least as new as the call. */
  read (signal: AbortSignal): Promise<StoredSecret | undefined>
  /**
   * Creates the Secret if `previous` is undefined. Otherwise replaces the Secret only if it is still at the version of `previous`.
   * Undefined: another client has written or deleted the Secret first.
   */
  write (fields: SecretFields, previous: StoredSecret | undefined, signal: AbortSignal): Promise<StoredSecret | undefined>
}

const labels = { 'app.kubernetes.io/name': 'dittofs-operator', 'app.kubernetes.io/managed-by': 'dittofs-operator' }

export function apiSecretStore (client: ApiClient, { namespace, name }: { namespace: string, name: string }): SecretStore {
  const collection = resourcePath(secretResource, { namespace })
  const path = resourcePath(secretResource, { namespace, name })
  return {
    read: async signal => {
      const found = await findObject(client, path, { signal })
      return found && stored(found)
    },
    write: async ({ data, annotations }, previous, signal) => {
      const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, value.toString('base64')]))
      const object: KubernetesObject = previous?.object
        ? { ...previous.object, metadata: { ...previous.object.metadata, annotations }, data: encoded }
        : {
            apiVersion: 'v1',
            kind: 'Secret',
            metadata: { name, namespace, annotations, labels },
            type: 'kubernetes.io/tls',
            data: encoded,
          }
      try {
        return stored(await client.request<KubernetesObject>(previous
          ? { verb: 'update', method: 'PUT', path, body: object, signal }
          : { ...createRequest(collection, object), signal }))
      } catch (error) {
        if (hasStatus(error, 409) || (previous && hasStatus(error, 404))) return undefined
        throw error
      }
    },
  }
}

function stored (object: KubernetesObject): StoredSecret {
  const { data } = object
  const entries = typeof data === 'object' && data !== null ? Object.entries(data) : []
  return {
    object,
    data: Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(typeof value === 'string' ? value : '', 'base64')])),
    annotations: object.metadata.annotations ?? {},
  }
}
