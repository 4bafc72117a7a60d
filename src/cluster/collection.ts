import { ApiError, ConnectionError, errorCode, isStatus } from './api-error.ts'
import { connectionError } from './http-exchange.ts'
import { jsonLines } from './json-lines.ts'
import { isKubernetesObject } from './kubernetes-object.ts'
import type { ApiClient } from './api-client.ts'
import type { KubernetesObject } from './kubernetes-object.ts'

/** The objects of one path, or those of them that match the selectors. */
export interface Collection {
  readonly path: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Only `metadata` is sent and kept: a Secret's values never get here. */
  readonly metadataOnly?: boolean
}

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED', readonly object: KubernetesObject, readonly resourceVersion: string }
  | { readonly type: 'BOOKMARK', readonly resourceVersion: string }

/** Nothing came for so long that the connection cannot be trusted any more. */
export class SilentWatch extends Error {
  override readonly name = 'SilentWatch'
}

const pageSize = 500
/** One event holds one object: at most 3 MB for a custom resource, which JSON escapes may double. */
const maxEventBytes = 8 * 1024 * 1024
/** The API server sends the headers of a watch at once; only one that is still starting takes seconds. */
const openTimeoutMs = 30_000

const metadataOf = (kind: string) => `application/json;as=${kind};g=meta.k8s.io;v=v1`

const selectors = ({ labelSelector, fieldSelector }: Collection) => ({ labelSelector, fieldSelector })

/**
 * Hands every object to `take`, page by page, and returns the resource version to watch from. No `resourceVersion` is
 * asked for, so the list is never older than the request: a restart cannot travel back in time.
 */
export async function listAll (
  client: ApiClient, collection: Collection, signal: AbortSignal, take: (object: KubernetesObject) => void
): Promise<string> {
  for (let token: string | undefined; ;) {
    const page = await client.request({
      verb: 'list',
      method: 'GET',
      path: collection.path,
      query: { ...selectors(collection), limit: pageSize, continue: token },
      ...(collection.metadataOnly === true ? { accept: metadataOf('PartialObjectMetadataList') } : {}),
      signal,
    })
    const { items, resourceVersion, next, ...itemType } = readPage(page)
    // Items of a list of a built-in kind carry neither: the list says it for all of them.
    for (const item of items) take({ ...itemType, ...item })
    if (next === undefined) return resourceVersion
    token = next
  }
}

function readPage (page: unknown) {
  const { apiVersion = '', kind = '', metadata, items } = (page ?? {}) as {
    apiVersion?: string, kind?: string, metadata?: { resourceVersion?: string, continue?: string }, items?: unknown
  }
  const objects: unknown = items ?? [] // Go writes an empty list as null
  if (metadata?.resourceVersion === undefined || !Array.isArray(objects) || !objects.every(isKubernetesObject)) {
    throw new ConnectionError('the reply is not a list', 'EMALFORMED')
  }
  const next = metadata.continue === '' ? undefined : metadata.continue
  return { apiVersion, kind: kind.replace(/List$/, ''), items: objects, resourceVersion: metadata.resourceVersion, next }
}

export interface WatchOptions {
  readonly resourceVersion: string
  /** After which the API server ends the watch. */
  readonly timeoutSeconds: number
  /** After so long without an event or a bookmark, SilentWatch is thrown. */
  readonly idleTimeoutMs: number
  readonly signal: AbortSignal
  readonly onOpen: () => void
}

/**
 * The changes since `resourceVersion`; ends when the API server ends the watch. Throws ApiError (410 when that version is
 * too old), ConnectionError, SilentWatch, or the signal's reason.
 */
export async function * watch (client: ApiClient, collection: Collection, options: WatchOptions): AsyncGenerator<WatchEvent> {
  const { resourceVersion, timeoutSeconds, idleTimeoutMs, signal, onOpen } = options
  const controller = new AbortController()
  const stop = () => { controller.abort(signal.reason) }
  const unlessStopped = (ms: number, error: Error) => setTimeout(() => { controller.abort(error) }, ms)
  let timer = unlessStopped(openTimeoutMs, new ConnectionError(`no answer within ${openTimeoutMs} ms`, 'ETIMEDOUT'))
  signal.addEventListener('abort', stop, { once: true })
  try {
    signal.throwIfAborted()
    const stream = await client.open({
      verb: 'watch',
      method: 'GET',
      path: collection.path,
      query: { ...selectors(collection), watch: true, allowWatchBookmarks: true, resourceVersion, timeoutSeconds },
      ...(collection.metadataOnly === true ? { accept: metadataOf('PartialObjectMetadata') } : {}),
      signal: controller.signal,
    })
    clearTimeout(timer)
    timer = unlessStopped(idleTimeoutMs, new SilentWatch(`nothing received for ${idleTimeoutMs} ms`))
    onOpen()
    for await (const line of jsonLines(stream, maxEventBytes)) {
      timer.refresh()
      const event = readEvent(line)
      if (event !== undefined) yield event
    }
  } catch (error) {
    if (controller.signal.aborted) throw controller.signal.reason
    // A stream that breaks rejects with the system's error.
    throw errorCode(error) === 'EUNKNOWN' || error instanceof ConnectionError ? error : connectionError(error, false)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    controller.abort() // when the reader stops early, the connection must not stay open
  }
}

/** Undefined for an event type of a newer API server. */
function readEvent (line: unknown): WatchEvent | undefined {
  const { type, object } = (line ?? {}) as { type?: unknown, object?: unknown }
  if (type === 'ERROR' && isStatus(object)) throw new ApiError(object.code ?? 500, object)
  const resourceVersion = (object as { metadata?: { resourceVersion?: string } } | undefined)?.metadata?.resourceVersion
  if (typeof type !== 'string' || resourceVersion === undefined) throw new ConnectionError('the line is not a watch event', 'EMALFORMED')
  if (type === 'BOOKMARK') return { type, resourceVersion }
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') return undefined
  if (!isKubernetesObject(object)) throw new ConnectionError('the event holds no object', 'EMALFORMED')
  return { type, object, resourceVersion }
}
