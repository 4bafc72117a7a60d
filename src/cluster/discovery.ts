import { absent, present } from '../rules/facts.ts'
import { hasStatus } from './api-error.ts'
import { groupVersionPath } from './resource-path.ts'
import type { Fact } from '../rules/facts.ts'
import type { ApiClient } from './api-client.ts'
import type { Resource } from './resource-path.ts'

/**
 * Whether the API server serves the kind at this version. Rejects like `ApiClient.request`. A 404 is definite: an API server that has not
 * installed all of its paths yet answers 503.
 */
export async function served (client: ApiClient, resource: Resource, signal: AbortSignal, timeoutMs: number): Promise<Fact<true>> {
  try {
    const list = await client.request<{ resources?: { name?: string }[] | null } | null>(
      { verb: 'get', method: 'GET', path: groupVersionPath(resource), signal, timeoutMs })
    return list?.resources?.some(({ name }) => name === resource.resource) === true ? present(true) : absent
  } catch (error) {
    if (hasStatus(error, 404)) return absent
    throw error
  }
}
