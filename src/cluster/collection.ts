import { schedule, type Clock } from '../clock.ts'
import { ApiError, ConnectionError, errorCode, isStatus } from './api-error.ts'
import { connectionError } from './http-exchange.ts'
import { jsonLines } from './json-lines.ts'
import { isKubernetesObject } from './kubernetes-object.ts'
import type { ApiClient } from './api-client.ts'
import type { KubernetesObject } from './kubernetes-object.ts'

/** The objects of one path, optionally filtered by selectors. */
export interface Collection {
  readonly path: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Only `metadata` is sent and kept: Secret values never reach this process. */
  readonly metadataOnly?: boolean
}

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED', readonly object: KubernetesObject, readonly resourceVersion: string }
  | { readonly type: 'BOOKMARK', readonly resourceVersion: string }

/** No data has arrived for so long that the connection cannot be trusted. */
export class SilentWatch extends Error {
  override readonly name = 'SilentWatch'
}

/**
 * Objects. With this limit a page of StatefulSets is about a megabyte, which takes 10 to 20 ms to parse and process. client-go's limit of
 * 500 would take five times as long.
 */
const pageSize = 100
/** One event contains one object: at most 3 MB for a custom resource, and JSON escapes may double that. */
const maxEventBytes = 8 * 1024 * 1024
/** The API server sends the headers of a watch immediately, unless it is still starting, which takes seconds. */
const openTimeoutMs = 30_000

/** The Accept header for metadata only: `PartialObjectMetadata`, or a list of it. */
export const metadataOf = (kind: string) => `application/json;as=${kind};g=meta.k8s.io;v=v1`

const selectors = ({ labelSelector, fieldSelector }: Collection) => ({ labelSelector, fieldSelector })

/**
 * Passes every object to `take`, page by page, and returns the resource version to watch from. The request has no `resourceVersion`, so the
 * list is never older than the request: after a restart, the state cannot be older than before.
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
    // Items in a list of a built-in kind have neither field; the list has them for all items.
    for (const item of items) take({ ...itemType, ...item })
    if (next === undefined) return resourceVersion
    token = next
  }
}

function readPage (page: unknown) {
  const { apiVersion = '', kind = '', metadata, items } = (page ?? {}) as {
    apiVersion?: string, kind?: string, metadata?: { resourceVersion?: string, continue?: string }, items?: unknown
  }
  const objects: unknown = items ?? [] // Go encodes an empty list as null
  if (metadata?.resourceVersion === undefined || !Array.isArray(objects) || !objects.every(isKubernetesObject)) {
    throw new ConnectionError('the reply is not a list', 'EMALFORMED')
  }
  const next = metadata.continue === '' ? undefined : metadata.continue
  return { apiVersion, kind: kind.replace(/List$/, ''), items: objects, resourceVersion: metadata.resourceVersion, next }
}

export interface WatchOptions {
  readonly resourceVersion: string
  /** The time after which the API server ends the watch. */
  readonly timeoutSeconds: number
  /** SilentWatch is thrown after this time without an event or a bookmark. */
  readonly idleTimeoutMs: number
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly onOpen: () => void
}

/**
 * The changes since `resourceVersion`; ends when the API server ends the watch. Throws ApiError (410 if that version is too old),
 * ConnectionError, SilentWatch, or the reason of the signal.
 */
export async function * watch (client: ApiClient, collection: Collection, options: WatchOptions): AsyncGenerator<WatchEvent> {
  const { resourceVersion, timeoutSeconds, idleTimeoutMs, signal, clock, onOpen } = options
  const controller = new AbortController()
  const stop = () => { controller.abort(signal.reason) }
  const opened = schedule(clock, openTimeoutMs, () => {
    controller.abort(new ConnectionError(`no answer within ${openTimeoutMs} ms`, 'ETIMEDOUT'))
  })
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
    opened()
    let heardAt = clock.monotonic()
    void whenSilent(clock, idleTimeoutMs, () => heardAt, controller)
    onOpen()
    for await (const line of jsonLines(stream, maxEventBytes)) {
      heardAt = clock.monotonic()
      const event = readEvent(line)
      if (event !== undefined) yield event
    }
  } catch (error) {
    if (controller.signal.aborted) throw controller.signal.reason
    // A broken stream rejects with the system error.
    throw errorCode(error) === 'EUNKNOWN' || error instanceof ConnectionError ? error : connectionError(error, false)
  } finally {
    opened()
    signal.removeEventListener('abort', stop)
    controller.abort(over) // if the reader stops early, the connection must not stay open
  }
}

/** Never visible. Without it, each abort would create a DOMException with a stack trace. */
const over = new Error('the watch is over')

/** Ends a watch that has received no data for too long. One timer covers all of its events. */
async function whenSilent (clock: Clock, idleTimeoutMs: number, heardAt: () => number, watch: AbortController): Promise<void> {
  while (!watch.signal.aborted) {
    const left = heardAt() + idleTimeoutMs - clock.monotonic()
    if (left <= 0) watch.abort(new SilentWatch(`nothing received for ${idleTimeoutMs} ms`))
    else await clock.sleep(left, watch.signal)
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
  if (!isKubernetesObject(object)) throw new ConnectionError('the event contains no object', 'EMALFORMED')
  return { type, object, resourceVersion }
}
