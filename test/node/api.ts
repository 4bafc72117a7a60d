import { setTimeout as delay } from 'node:timers/promises'
import { jsonLines } from '../../src/cluster/json-lines.ts'
import type { ApiClient } from '../../src/cluster/api-client.ts'
import type { Metadata } from './pod.ts'

export interface ApiObject { readonly metadata: Metadata }

interface List<Item> { readonly metadata: { readonly resourceVersion: string }, readonly items: readonly Item[] }

/** For an interrupted watch, or an unreachable API server. */
const retryAfter = 300
const maxBytes = 8 * 1024 * 1024

export interface WatchOptions<Found> {
  readonly client: ApiClient
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  readonly onChange: (object: Found) => void
  readonly onDelete?: (object: Found) => void
}

/** Lists a collection and watches it until the signal aborts. Every existing object is reported at least once; no failure ends it. */
export async function follow<Found extends ApiObject> (options: WatchOptions<Found>): Promise<void> {
  const { client, path, query = {}, signal, onChange, onDelete } = options
  const known = new Map<string, Found>()
  const set = (object: Found) => {
    known.set(object.metadata.uid, object)
    onChange(object)
  }
  const remove = (object: Found) => {
    if (known.delete(object.metadata.uid)) onDelete?.(object)
  }
  while (!signal.aborted) {
    try {
      const { metadata: { resourceVersion }, items } = await client.request<List<Found>>({ verb: 'list', method: 'GET', path, query, signal })
      const present = new Set(items.map(({ metadata }) => metadata.uid))
      for (const object of [...known.values()]) if (!present.has(object.metadata.uid)) remove(object)
      items.forEach(set)
      const stream = await client.open({ verb: 'watch', method: 'GET', path, query: { ...query, watch: 1, resourceVersion }, signal })
      for await (const line of jsonLines(stream, maxBytes)) {
        const { type, object } = line as { type: string, object: Found }
        if (type === 'ERROR') break
        if (type === 'DELETED') remove(object)
        else set(object)
      }
    } catch (error) {
      if (signal.aborted) return
      await delay(retryAfter, undefined, { signal }).catch(() => {})
      void error // an unreachable API server: the next list shows whether it is back
    }
  }
}

/** A patch as kubelet sends it: lists with a key are merged by it. */
export const strategicPatch = async <Reply> (client: ApiClient, path: string, body: object, signal?: AbortSignal): Promise<Reply> =>
  await client.request<Reply>({
    verb: 'patch', method: 'PATCH', path, body, contentType: 'application/strategic-merge-patch+json', ...signal ? { signal } : {},
  })
