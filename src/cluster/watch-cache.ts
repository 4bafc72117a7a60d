import { setTimeout as delay } from 'node:timers/promises'
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
import type { ChangeHandler, Entry } from './object-store.ts'

export interface WatchTiming {
  readonly firstRetryMs: number
  readonly maxRetryMs: number
  /**
   * The API server sends a bookmark about once a minute, so two are missing by then. One that has seen no change of the
   * kind since it started may send none: the price of that is a list each time.
   */
  readonly idleTimeoutMs: number
  /** How long a broken watch is still good enough: an API server takes some seconds to restart. */
  readonly staleAfterMs: number
}

export const defaultTiming: WatchTiming = { firstRetryMs: 500, maxRetryMs: 30_000, idleTimeoutMs: 150_000, staleAfterMs: 30_000 }

/** `gone`: our resource version is too old. `ended`: the API server closed the watch, as it does every few minutes. */
export type WatchCacheEvent = 'list' | 'watch' | 'ended' | 'gone' | 'silent' | 'failed' | 'handler-failed'

export interface WatchCacheOptions<Stored> extends Collection {
  readonly client: ApiClient
  readonly log: ClusterLog
  readonly outage: ApiServerOutage
  /** What is kept of an object. */
  readonly transform: (object: KubernetesObject) => Stored
  readonly timing?: Partial<WatchTiming>
  readonly random?: () => number
  /** Milliseconds of a clock that never jumps. */
  readonly now?: () => number
  readonly observe?: (event: WatchCacheEvent) => void
}

/**
 * `forbidden` and `not-served` (404: the kind's CRD is not installed) are tried again, at the longest interval in the end, so
 * that a permission given later, or a CRD installed later, needs no restart.
 */
export type Sync = 'pending' | 'synced' | 'not-served' | 'forbidden' | 'stopped'

/**
 * A local copy of a collection, kept up to date by list and watch (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes).
 * No failure ends it, only `stop()`. Handlers hear of each object at least once per change of its state, not of each
 * change: look at the present state, do not count events.
 */
export class WatchCache<Stored> {
  readonly #options: WatchCacheOptions<Stored>
  readonly #timing: WatchTiming
  readonly #now: () => number
  readonly #store: ObjectStore<Stored>
  readonly #backoff: Backoff
  readonly #abort = new AbortController()
  readonly #first = Promise.withResolvers<Sync>()
  #running: Promise<void> | undefined
  #sync: Sync = 'pending'
  /** Of the last list or event; undefined when the next step is a list. */
  #resourceVersion: string | undefined
  /** The watch was accepted: what fails now is the stream, not the API server. */
  #open = false
  #goneTwice = false
  #lastContact: number | undefined
  #failure: { readonly since: number, readonly reason: string } | undefined
  /** Of refusals and nothing else. */
  #refusedSince: number | undefined

  constructor (options: WatchCacheOptions<Stored>) {
    this.#options = options
    this.#timing = { ...defaultTiming, ...options.timing }
    this.#now = options.now ?? (() => performance.now())
    this.#store = new ObjectStore((error, key) => {
      options.log.error({ watch: options.path, key, err: error }, 'a handler of a change failed')
      options.observe?.('handler-failed')
    })
    const { firstRetryMs: firstMs, maxRetryMs: capMs } = this.#timing
    this.#backoff = new Backoff({ firstMs, capMs, random: options.random ?? Math.random })
  }

  /** Resolves with the first definite answer of the API server, however long that takes, or when stopped. */
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

  /** The handler only notes the key and returns: it runs within the watch. It hears of what is there already, too. */
  onChange (handler: ChangeHandler<Stored>): () => void {
    return this.#store.onChange(handler)
  }

  state (): Sync {
    return this.#sync
  }

  /** A complete list has been seen (an empty one, for a kind that is not served), at some time. */
  synced (): boolean {
    return this.#sync === 'synced' || this.#sync === 'not-served'
  }

  /** Seconds since the API server was last heard; undefined before the first answer. */
  silentSeconds (now = this.#now()): number | undefined {
    return this.#lastContact === undefined ? undefined : (now - this.#lastContact) / 1000
  }

  /** Undefined while the copy can be trusted; otherwise why not. */
  stale (now = this.#now()): string | undefined {
    if (this.#lastContact === undefined) return this.#failure?.reason ?? 'not listed yet'
    const { staleAfterMs, idleTimeoutMs } = this.#timing
    if (this.#failure !== undefined && now - this.#failure.since > staleAfterMs) return this.#failure.reason
    const silentMs = now - this.#lastContact
    // The watch is torn down well before; this catches whatever keeps that from happening.
    return silentMs > idleTimeoutMs + staleAfterMs ? `nothing heard from the API server for ${Math.round(silentMs / 1000)} s` : undefined
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
      if (pauseMs > 0) await delay(pauseMs, undefined, { signal }).catch(() => {}) // only the abort, which ends the loop
    }
  }

  async #list (signal: AbortSignal): Promise<void> {
    const { client, transform, observe } = this.#options
    const entries = new Map<string, Entry<Stored>>()
    const resourceVersion = await listAll(client, this.#options, signal, object => {
      entries.set(objectKey(object.metadata), { resourceVersion: object.metadata.resourceVersion, object: transform(object) })
    })
    this.#resourceVersion = resourceVersion
    this.#lastContact = this.#now()
    observe?.('list')
    this.#store.replace(entries)
    if (this.#sync !== 'forbidden') this.#settle('synced') // else the watch has yet to be allowed
  }

  /** Milliseconds to wait before the next one. */
  async #watch (resourceVersion: string, signal: AbortSignal): Promise<number> {
    const { client, observe, random = Math.random } = this.#options
    const { idleTimeoutMs } = this.#timing
    // Spread, so that the watches of all clients do not end together.
    const timeoutSeconds = Math.round(300 * (1 + random()))
    let openedAt = Infinity
    let useful = false
    const onOpen = () => {
      openedAt = this.#now()
      this.#opened()
    }
    try {
      for await (const event of watch(client, this.#options, { resourceVersion, timeoutSeconds, idleTimeoutMs, signal, onOpen })) {
        useful = true
        this.#goneTwice = false
        this.#lastContact = this.#now()
        if (event.type !== 'BOOKMARK') this.#change(event.type, event.object)
        this.#resourceVersion = event.resourceVersion
      }
      this.#lastContact = this.#now()
    } finally {
      useful ||= this.#now() - openedAt > 1000
      if (useful) this.#backoff.reset()
    }
    observe?.('ended')
    // One that opens only to end at once must not be opened in a tight loop.
    return useful ? 0 : this.#backoff.next()
  }

  #change (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubernetesObject): void {
    const key = objectKey(object.metadata)
    if (type === 'DELETED') this.#store.delete(key)
    else this.#store.set(key, { resourceVersion: object.metadata.resourceVersion, object: this.#options.transform(object) })
  }

  #opened (): void {
    const { outage, path, observe } = this.#options
    this.#open = true
    this.#failure = undefined
    this.#refusedSince = undefined
    this.#lastContact = this.#now()
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
    this.#failure = { since: this.#failure?.since ?? this.#now(), reason }
    if (hasStatus(error, 403)) return this.#forbidden(error)
    this.#refusedSince = undefined
    // After anything but a broken connection an event may be lost: only a list makes up for it.
    if (!isBroken(error) && (this.#open || !(error instanceof ApiError))) {
      this.#resourceVersion = undefined
      log.error({ watch: path, reason, err: error }, 'a watch failed')
    } else if (this.#open) {
      // Everyday; it is an outage when the next one cannot be opened.
      log.debug({ watch: path, reason }, 'a watch broke off')
    } else outage.away(path, reason, error)
    return this.#backoff.next(error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0)
  }

  #listAnew (event: 'silent' | 'gone', pauseMs: number): number {
    const { log, path, observe } = this.#options
    this.#resourceVersion = undefined
    observe?.(event)
    log.debug({ watch: path, event }, 'listing anew')
    return pauseMs
  }

  #notServed (): number {
    const { log, outage, path } = this.#options
    if (this.#sync !== 'not-served') log.info({ watch: path }, 'the kind is not served; looking again from time to time')
    outage.back(path)
    this.#resourceVersion = undefined
    this.#failure = undefined
    this.#lastContact = this.#now()
    this.#store.replace(new Map())
    this.#settle('not-served')
    return this.#longPause()
  }

  /** An API server that has just started refuses everything until it has read the roles, so that one refusal says little. */
  #forbidden (error: ApiError): number {
    const { log, outage, path } = this.#options
    outage.back(path)
    this.#refusedSince ??= this.#now()
    const wasAllowed = this.#sync === 'synced' && this.#now() - this.#refusedSince <= this.#timing.staleAfterMs
    if (wasAllowed) log.debug({ watch: path, err: error }, 'a watch was refused')
    else {
      if (this.#sync !== 'forbidden') log.error({ watch: path, err: error }, 'no permission to list and watch')
      this.#settle('forbidden')
    }
    return this.#backoff.next()
  }

  #longPause (): number {
    const { random = Math.random } = this.#options
    return this.#timing.maxRetryMs * (0.5 + random() / 2)
  }

  #settle (sync: Sync): void {
    if (this.#sync === 'stopped') return
    this.#sync = sync
    this.#first.resolve(sync)
  }
}

const isBroken = (error: unknown): boolean =>
  error instanceof ConnectionError && error.code !== 'EMALFORMED' && error.code !== 'ETOOLARGE'
