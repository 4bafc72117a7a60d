import type { ApiClient } from '../cluster/api-client.ts'
import { hasStatus } from '../cluster/api-error.ts'
import { createRequest } from '../cluster/api-requests.ts'
import { findObject } from '../cluster/find-object.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { resourcePath } from '../cluster/resource-path.ts'

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/ */
export interface Lease extends KubernetesObject {
  readonly spec?: {
    /** Absent or empty: there is no leader. */
    readonly holderIdentity?: string
    readonly leaseDurationSeconds?: number
    readonly acquireTime?: string
    readonly renewTime?: string
    readonly leaseTransitions?: number
  }
}

/** The storage of the Lease. Both methods reject with the error of the API server. */
export interface LeaseStore {
  read (signal: AbortSignal): Promise<Lease | undefined>
  /**
   * Creates the Lease if `previous` is undefined; otherwise replaces exactly `previous`.
   * Undefined: another client wrote first.
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
          // The resourceVersion in it makes the API server refuse the write if another client has written in between.
          ? { verb: 'update', method: 'PUT', path, body: lease, signal }
          : { ...createRequest(collection, lease), signal })
      } catch (error) {
        if (hasStatus(error, 409) || (previous && hasStatus(error, 404))) return undefined
        throw error
      }
    },
  }
}
