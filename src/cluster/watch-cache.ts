import { systemClock, type Clock } from '../clock.ts'
import { systemRandom, type Random } from '../random.ts'
import { ApiError, ConnectionError, hasStatus } from './api-error.ts'
import { Backoff } from './backoff.ts'
import { SilentWatch, listAll, watch } from './collection.ts'
import { failureReason } from './failure-reason.ts'
import { objectKey } from './kubernetes-object.ts'
import { ObjectStore } from './object-store.ts'
import type { ApiClient } from './api-client.ts'
import type { ApiServerOutage } from './api-server-outage.ts'
import type { ClusterLog } from './cluster-log.ts'
import type { Collection } from './collection.ts'
import type { KubernetesObject } from './kubernetes-object.ts'
import type { ChangeHandler } from './object-store.ts'

export interface WatchTiming {
  readonly firstRetryMs: number
  readonly maxRetryMs: number
  /**
   * A watch ends within `watchSeconds`, and the next one continues where it ended. If a watch receives no data for longer than that, not
   * even its end, it is silent: for example, a router has dropped the connection. Bookmarks alone would not show this, because an API
   * server sends none for a kind that never changed.
   */
  readonly idleTimeoutMs: number
  /** How long a broken watch is acceptable: an API server takes some seconds to restart. */
  readonly staleAfterMs: number
}

/** A blackholed watch is noticed within a minute; reopening it does not cost the API server a list. */
const watchSeconds = { least: 40, most: 50 }

export const defaultTiming: WatchTiming = { firstRetryMs: 500, maxRetryMs: 30_000, idleTimeoutMs: 55_000, staleAfterMs: 30_000 }

/** `gone`: our resource version is too old. `ended`: the API server closed the watch, which it does every few minutes. */
export type WatchCacheEvent = 'list' | 'watch' | 'ended' | 'gone' | 'silent' | 'failed' | 'handler-failed'

export interface WatchCacheOptions<Stored> extends Collection {
  readonly client: ApiClient
  readonly log: ClusterLog
  readonly outage: ApiServerOutage
  /** Maps an object to the form that is cached. */
  readonly transform: (object: KubernetesObject) => Stored
  readonly timing?: Partial<WatchTiming>
  readonly random?: Random
  readonly clock?: Clock
  readonly observe?: (event: WatchCacheEvent) => void
}

/**
 * `forbidden` and `not-served` (404: the CRD of the kind is not installed) are retried, eventually at the longest interval. So a permission
 * or a CRD that is added later needs no restart.
 */
export type Sync = 'pending' | 'synced' | 'not-served' | 'forbidden' | 'stopped'

/**
 * A local copy of a collection, kept up to date by list and watch
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes). Only `stop()` ends it, no failure does. A
 * handler is called at least once when the state of an object has changed, but not for each change: use the current state, and do not count
 * events.
 */
export class WatchCache<Stored> {
  readonly #options: WatchCacheOptions<Stored>
  readonly #timing: WatchTiming
  readonly #clock: Clock
  readonly #random: Random
  readonly #store: ObjectStore<Stored>
  readonly #backoff: Backoff
  readonly #abort = new AbortController()
  readonly #first = Promise.withResolvers<Sync>()
  #running: Promise<void> | undefined
  #sync: Sync = 'pending'
  /** Of the last list or event; undefined if the next step is a list. */
  #resourceVersion: string | undefined
  /** The watch was accepted: a later failure concerns the stream, not the API server. */
  #open = false
  #goneTwice = false
  #lastContact: number | undefined
  #failure: { readonly since: number, readonly reason: string } | undefined
  /** Backoff for refusals only. */
  #refusedSince: number | undefined

  constructor (options: WatchCacheOptions<Stored>) {
    this.#options = options
    this.#timing = { ...defaultTiming, ...options.timing }
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
    this.#store = new ObjectStore((error, key) => {
      options.log.error({ watch: options.path, key, err: error }, 'a handler of a change failed')
      options.observe?.('handler-failed')
    })
    const { firstRetryMs: firstMs, maxRetryMs: capMs } = this.#timing
    this.#backoff = new Backoff({ firstMs, capMs, random: this.#random })
  }

  /** Resolves with the first definite answer of the API server, however long that takes, or after `stop()`. */
  start (): Promise<Sync> {
    this.#running ??= this.#run()
    return this.#first.promise
  }

  async stop (): Promise<void> {
    this.#settle('stopped')
    this.#abort.abort()
    await this.#running
  }

  get size (): number {
    return this.#store.size
  }

  get (key: string): Stored | undefined {
    return this.#store.get(key)
  }

  list (): Stored[] {
    return this.#store.values()
  }

  /** The handler must only record the key and return, because it runs within the watch. It is also called for existing objects. */
  onChange (handler: ChangeHandler<Stored>): () => void {
    return this.#store.onChange(handler)
  }

  state (): Sync {
    return this.#sync
  }

  /** Of the last list, event or bookmark: everything up to this version has been processed. Undefined until the next list. */
  resourceVersion (): string | undefined {
    return this.#resourceVersion
  }

  /** A complete list has been received at some time (an empty one for a kind that is not served). */
  synced (): boolean {
    return this.#sync === 'synced' || this.#sync === 'not-served'
  }

  /** Seconds since the last data from the API server; undefined before the first answer. */
  silentSeconds (now = this.#clock.monotonic()): number | undefined {
    return this.#lastContact === undefined ? undefined : (now - this.#lastContact) / 1000
  }

  /** Undefined while the copy can be trusted; otherwise the reason why not. */
  stale (now = this.#clock.monotonic()): string | undefined {
    if (this.#lastContact === undefined) return this.#failure?.reason ?? 'not listed yet'
    const { staleAfterMs, idleTimeoutMs } = this.#timing
    if (this.#failure !== undefined && now - this.#failure.since > staleAfterMs) return this.#failure.reason
    const silentMs = now - this.#lastContact
    // The watch should have been closed long before; this detects that it was not.
    return silentMs > idleTimeoutMs + staleAfterMs ? `no data from the API server for ${Math.round(silentMs / 1000)} s` : undefined
  }

  async #run (): Promise<void> {
    const { signal } = this.#abort
    while (!signal.aborted) {
      let pauseMs
      try {
        if (this.#resourceVersion === undefined) await this.#list(signal)
        pauseMs = await this.#watch(this.#resourceVersion ?? '', signal)
      } catch (error) {
        if (signal.aborted) return
        pauseMs = this.#afterFailure(error)
      }
      this.#open = false
      await this.#clock.sleep(pauseMs, signal)
    }
  }

  async #list (signal: AbortSignal): Promise<void> {
    const { client, observe } = this.#options
    const keys = new Set<string>()
    // Handlers are called page by page: ten thousand objects at once would block everything else.
    const resourceVersion = await listAll(client, this.#options, signal, object => {
      keys.add(objectKey(object.metadata))
      this.#set(object)
    })
    this.#resourceVersion = resourceVersion
    this.#lastContact = this.#clock.monotonic()
    observe?.('list')
    this.#store.retain(keys)
    if (this.#sync !== 'forbidden') this.#settle('synced') // otherwise the watch must be permitted first
  }

  /** Milliseconds to wait before the next watch. */
  async #watch (resourceVersion: string, signal: AbortSignal): Promise<number> {
    const { client, observe } = this.#options
    const clock = this.#clock
    const { idleTimeoutMs } = this.#timing
    // Spread, so that the watches of all clients do not end at the same time.
    const timeoutSeconds = Math.round(watchSeconds.least + (watchSeconds.most - watchSeconds.least) * this.#random())
    let openedAt = Infinity
    let useful = false
    const onOpen = () => {
      openedAt = this.#clock.monotonic()
      this.#opened()
    }
    try {
      for await (const event of watch(client, this.#options, { resourceVersion, timeoutSeconds, idleTimeoutMs, signal, clock, onOpen })) {
        useful = true
        this.#goneTwice = false
        this.#lastContact = this.#clock.monotonic()
        // Set first, because a handler may read it.
        this.#resourceVersion = event.resourceVersion
        if (event.type !== 'BOOKMARK') this.#change(event.type, event.object)
      }
      this.#lastContact = this.#clock.monotonic()
    } finally {
      useful ||= this.#clock.monotonic() - openedAt > 1000
      if (useful) this.#backoff.reset()
    }
    observe?.('ended')
    // If a watch ends immediately after it opens, it must not be reopened in a tight loop.
    return useful ? 0 : this.#backoff.next()
  }

  #change (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubernetesObject): void {
    if (type === 'DELETED') this.#store.delete(objectKey(object.metadata))
    else this.#set(object)
  }

  #set (object: KubernetesObject): void {
    const { metadata, metadata: { resourceVersion } } = object
    this.#store.set(objectKey(metadata), { resourceVersion, object: this.#options.transform(object) })
  }

  #opened (): void {
    const { outage, path, observe } = this.#options
    this.#open = true
    this.#failure = undefined
    this.#refusedSince = undefined
    this.#lastContact = this.#clock.monotonic()
    outage.back(path)
    observe?.('watch')
    this.#settle('synced')
  }

  /** Milliseconds to wait before the next attempt. */
  #afterFailure (error: unknown): number {
    const { outage, path, log, observe } = this.#options
    if (error instanceof SilentWatch) return this.#listAnew('silent', 0)
    if (hasStatus(error, 410)) {
      const pauseMs = this.#goneTwice ? this.#backoff.next() : 0
      this.#goneTwice = true
      return this.#listAnew('gone', pauseMs)
    }
    observe?.('failed')
    if (hasStatus(error, 404)) return this.#notServed()
    const reason = failureReason(error, `watch ${path.slice(path.lastIndexOf('/') + 1)}`)
    this.#failure = { since: this.#failure?.since ?? this.#clock.monotonic(), reason }
    if (hasStatus(error, 403)) return this.#forbidden(error)
    this.#refusedSince = undefined
    // After any failure except a broken connection, an event may be lost, and only a list can recover it.
    if (!isBroken(error) && (this.#open || !(error instanceof ApiError))) {
      this.#resourceVersion = undefined
      log.error({ watch: path, reason, err: error }, 'a watch failed')
    } else if (this.#open) {
      // This is normal; it is an outage only if the next watch cannot be opened.
      log.debug({ watch: path, reason }, 'a watch was interrupted')
    } else outage.away(path, reason, error)
    return this.#backoff.next(error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0)
  }

  #listAnew (event: 'silent' | 'gone', pauseMs: number): number {
    const { log, path, observe } = this.#options
    this.#resourceVersion = undefined
    observe?.(event)
    log.debug({ watch: path, event }, 'listing again')
    return pauseMs
  }

  #notServed (): number {
    const { log, outage, path } = this.#options
    if (this.#sync !== 'not-served') log.info({ watch: path }, 'the kind is not served; checking again periodically')
    outage.back(path)
    this.#resourceVersion = undefined
    this.#failure = undefined
    this.#lastContact = this.#clock.monotonic()
    this.#store.retain(new Set())
    this.#settle('not-served')
    return this.#longPause()
  }

  /** An API server that has just started refuses everything until it has read the roles, so a single refusal is not conclusive. */
  #forbidden (error: ApiError): number {
    const { log, outage, path } = this.#options
    outage.back(path)
    this.#refusedSince ??= this.#clock.monotonic()
    const wasAllowed = this.#sync === 'synced' && this.#clock.monotonic() - this.#refusedSince <= this.#timing.staleAfterMs
    if (wasAllowed) log.debug({ watch: path, err: error }, 'a watch was refused')
    else {
      if (this.#sync !== 'forbidden') log.error({ watch: path, err: error }, 'no permission to list and watch')
      this.#settle('forbidden')
    }
    return this.#backoff.next()
  }

  #longPause (): number {
    return this.#timing.maxRetryMs * (0.5 + this.#random() / 2)
  }

  #settle (sync: Sync): void {
    if (this.#sync === 'stopped') return
    this.#sync = sync
    this.#first.resolve(sync)
  }
}

const isBroken = (error: unknown): boolean =>
  error instanceof ConnectionError && error.code !== 'EMALFORMED' && error.code !== 'ETOOLARGE'
