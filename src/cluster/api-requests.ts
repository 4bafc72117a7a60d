import type { ApiRequest } from './api-client.ts'
import type { KubernetesObject } from './kubernetes-object.ts'

/** Builds write requests: what the API server expects for each verb, without any transport. */

export const createRequest = (collection: string, object: KubernetesObject): ApiRequest =>
  ({ verb: 'create', method: 'POST', path: collection, body: object })

export interface ApplyOptions {
  readonly fieldManager: string
  /** Takes over fields that another manager owns; otherwise they cause a 409 that names them. */
  readonly force: boolean
  readonly dryRun?: boolean
}

/** https://kubernetes.io/docs/reference/using-api/server-side-apply/. The media type says YAML; JSON is YAML. */
export const applyRequest = (path: string, object: KubernetesObject, { fieldManager, force, dryRun }: ApplyOptions): ApiRequest => ({
  verb: 'apply',
  method: 'PATCH',
  path,
  query: { fieldManager, force, ...(dryRun === true ? { dryRun: 'All' } : {}) },
  body: object,
  contentType: 'application/apply-patch+yaml',
})

/** https://www.rfc-editor.org/rfc/rfc7396; a `metadata.resourceVersion` inside makes it conditional. */
export const mergePatchRequest = (path: string, patch: unknown, fieldManager: string): ApiRequest => ({
  verb: 'patch',
  method: 'PATCH',
  path,
  query: { fieldManager },
  body: patch,
  contentType: 'application/merge-patch+json',
})

export interface DeleteOptions {
  /** Deletes only the object that was observed: a newer object with the same name is not deleted, and causes a 409. */
  readonly uid?: string
  readonly resourceVersion?: string
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
}

export function deleteRequest (path: string, { uid, resourceVersion, propagationPolicy = 'Background' }: DeleteOptions = {}): ApiRequest {
  const preconditions = { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) }
  return {
    verb: 'delete',
    method: 'DELETE',
    path,
    body: { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy, preconditions },
  }
}
