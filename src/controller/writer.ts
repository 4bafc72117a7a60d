import { ApiError, hasStatus } from '../cluster/api-error.ts'
import type { ApiClient, ApiRequest } from '../cluster/api-client.ts'
import { applyRequest, createRequest, deleteRequest, mergePatchRequest } from '../cluster/api-requests.ts'
import { findObject } from '../cluster/find-object.ts'
import { kinds, type KindName } from '../cluster/kinds.ts'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { resourcePath } from '../cluster/resource-path.ts'
import { fieldManager } from '../dittoserver/api.ts'
import { absorb } from './field-managers.ts'
import type { Apply, Delete, Step, StepResult } from './step.ts'

export interface WriterOptions {
  readonly client: Pick<ApiClient, 'request'>
  /** Throws when another process may be the leader. Called immediately before each request is sent. */
  readonly fence: () => void
  /** Called with the reply to each write. */
  readonly onWritten: (server: string, kind: KindName, reply: KubernetesObject) => void
}

/** The server `namespace/name` that the writes are for. */
export interface WriteContext { readonly server: string, readonly namespace: string, readonly signal: AbortSignal }

/** The only part of the loop that writes to the cluster. It makes no decisions. */
export class Writer {
  readonly #options: WriterOptions

  constructor (options: WriterOptions) {
    this.#options = options
  }

  /** Runs the steps in this order until one fails. Never rejects. */
  async carryOut (steps: readonly Step[], context: WriteContext): Promise<StepResult[]> {
    const results: StepResult[] = []
    for (const step of steps) {
      const result = await this.#attempt(step, context)
      results.push(result)
      if (result.outcome === 'failed' || result.outcome === 'exists') break
    }
    return results
  }

  /**
   * A JSON merge patch of `status`, only for the observed version: a status that was computed from an outdated cache gets a 409.
   * @throws the error of the API server
   */
  async patchStatus ({ metadata: { name, uid, resourceVersion } }: KubernetesObject, status: object, context: WriteContext): Promise<void> {
    const path = resourcePath(kinds.DittoServer, { namespace: context.namespace, name, subresource: 'status' })
    await this.#send('DittoServer', mergePatchRequest(path, { metadata: { uid, resourceVersion }, status }, fieldManager), context)
  }

  async #attempt (step: Step, context: WriteContext): Promise<StepResult> {
    try {
      return { step, outcome: 'done', object: await this.#do(step, context) }
    } catch (error) {
      // Other conflicts, such as those about a quota, are failures. The API server checks for an existing name last, after validation,
      // admission and quota.
      if (step.do === 'rehearse' && isTaken(error)) return { step, outcome: 'done', object: undefined }
      if (step.do === 'create' && isTaken(error)) return { step, outcome: 'exists' }
      if (step.do === 'patch' && step.mayBeRefused && error instanceof ApiError && [403, 404, 422].includes(error.status)) {
        return { step, outcome: 'refused', message: error.message }
      }
      return { step, outcome: 'failed', error }
    }
  }

  async #do (step: Step, context: WriteContext): Promise<KubernetesObject | undefined> {
    const { kind, name } = step
    const { namespace } = context
    const path = resourcePath(kinds[kind], { namespace, name })
    switch (step.do) {
      case 'create': {
        const request = createRequest(resourcePath(kinds[kind], { namespace }), step.object)
        return await this.#send(kind, { ...request, query: { fieldManager } }, context)
      }
      case 'rehearse': {
        const { client, fence: beforeSend } = this.#options
        const request = createRequest(resourcePath(kinds[kind], { namespace }), step.object)
        await client.request({ ...request, query: { fieldManager, dryRun: 'All' }, signal: context.signal, beforeSend })
        return undefined
      }
      case 'apply': return await this.#apply(step, path, context)
      case 'patch': return await this.#send(kind, mergePatchRequest(path, step.patch, fieldManager), context)
      case 'delete': return await this.#delete(step, path, context)
    }
  }

  async #apply ({ kind, object, uid, resourceVersion, absorb: managers }: Apply, path: string, context: WriteContext) {
    let version = resourceVersion
    if (managers.length > 0) {
      const found = await findObject(this.#options.client, path, { signal: context.signal, retry: true })
      const managedFields = found?.metadata.uid === uid ? absorb(found) : undefined
      // If the first write was conditional, the second one is too.
      const seen = version ?? found?.metadata.resourceVersion
      if (managedFields) {
        const patch = { metadata: { uid, resourceVersion: seen, managedFields } }
        const reply = await this.#send(kind, mergePatchRequest(path, patch, fieldManager), context)
        if (version !== undefined) version = reply.metadata.resourceVersion
      }
    }
    const metadata = { ...object.metadata, uid, ...(version === undefined ? {} : { resourceVersion: version }) }
    return await this.#send(kind, applyRequest(path, { ...object, metadata }, { fieldManager, force: true }), context)
  }

  /** A 404 is success: the object is deleted. After a 409 it may still exist, so the step fails and the next pass checks again. */
  async #delete ({ kind, uid, resourceVersion, propagation }: Delete, path: string, context: WriteContext): Promise<undefined> {
    try {
      const condition = { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) }
      await this.#send(kind, deleteRequest(path, { ...condition, propagationPolicy: propagation }), context)
    } catch (error) {
      if (!hasStatus(error, 404)) throw error
    }
  }

  async #send (kind: KindName, request: ApiRequest, { server, signal }: WriteContext): Promise<KubernetesObject> {
    const { client, fence, onWritten } = this.#options
    const reply = await client.request<KubernetesObject>({ ...request, signal, beforeSend: fence })
    // If the deletion completes at once, the reply is a Status.
    if (reply.metadata?.name !== undefined) onWritten(server, kind, reply)
    return reply
  }
}

const isTaken = (error: unknown) => hasStatus(error, 409) && error.reason === 'AlreadyExists'
