import type { ApiClient, ApiRequest } from './api-client.ts'
import { hasStatus } from './api-error.ts'
import type { KubernetesObject } from './kubernetes-object.ts'

/** An object as it is at this moment; undefined where it does not exist. @throws whatever is not a 404 */
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
