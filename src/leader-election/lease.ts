import type { ApiClient } from '../cluster/api-client.ts'
import { hasStatus } from '../cluster/api-error.ts'
import { createRequest } from '../cluster/api-requests.ts'
import { findObject } from '../cluster/find-object.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { resourcePath } from '../cluster/resource-path.ts'

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/ */
export interface Lease extends KubernetesObject {
  readonly spec?: {
    /** Absent or empty: nobody leads. */
    readonly holderIdentity?: string
    readonly leaseDurationSeconds?: number
    readonly acquireTime?: string
    readonly renewTime?: string
    readonly leaseTransitions?: number
  }
}

/** Where the Lease is kept. Both methods reject with whatever the API server refuses. */
export interface LeaseStore {
  read (signal: AbortSignal): Promise<Lease | undefined>
  /**
   * Creates the Lease where `previous` is undefined and replaces exactly `previous` otherwise.
   * Undefined: somebody else was faster.
   */
  write (spec: NonNullable<Lease['spec']>, previous: Lease | undefined, signal: AbortSignal): Promise<Lease | undefined>
}

export const leases = { group: 'coordination.k8s.io', version: 'v1', resource: 'leases' } as const

export function apiLeaseStore (client: ApiClient, namespace: string, name: string): LeaseStore {
  const collection = resourcePath(leases, { namespace })
  const path = resourcePath(leases, { namespace, name })
  return {
    read: async signal => await findObject<Lease>(client, path, { signal }),
    write: async (spec, previous, signal) => {
      const lease: Lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: previous?.metadata ?? { name, namespace }, spec }
      try {
        return await client.request<Lease>(previous
          // The resourceVersion within makes the API server refuse it when somebody else has written in between.
          ? { verb: 'update', method: 'PUT', path, body: lease, signal }
          : { ...createRequest(collection, lease), signal })
      } catch (error) {
        if (hasStatus(error, 409) || (previous && hasStatus(error, 404))) return undefined
        throw error
      }
    },
  }
}
