import type { ApiClient, ApiRequest } from './api-client.ts'
import { hasStatus } from './api-error.ts'
import type { KubernetesObject } from './kubernetes-object.ts'

/** The current state of an object; undefined if it does not exist. @throws any error except a 404 */
export async function findObject<Found = KubernetesObject> (
  client: Pick<ApiClient, 'request'>, path: string, options: Pick<ApiRequest, 'signal' | 'timeoutMs' | 'retry'>,
): Promise<Found | undefined> {
  try {
    return await client.request<Found>({ verb: 'get', method: 'GET', path, ...options })
  } catch (error) {
    if (hasStatus(error, 404)) return undefined
    throw error
  }
}
