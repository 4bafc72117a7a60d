import { hostname } from 'node:os'
import type { BaseLogger } from 'pino'
import type { Clock } from '../clock.ts'
import type { ApiClient, ApiRequest } from '../cluster/api-client.ts'
import { createRequest, mergePatchRequest } from '../cluster/api-requests.ts'
import { resourcePath } from '../cluster/resource-path.ts'
import { apiVersion, fieldManager, group, kind } from '../dittoserver/api.ts'
import type { DittoServer } from '../dittoserver/dittoserver.ts'
import type { Random } from '../random.ts'
import type { Occurrence } from './events.ts'

export interface EventRecorderOptions {
  readonly client: Pick<ApiClient, 'request'>
  readonly log: Pick<BaseLogger, 'warn' | 'debug'>
  readonly clock: Clock
  readonly random: Random
  readonly fence: () => void
}

/** The same limits as in client-go's recorder: https://pkg.go.dev/k8s.io/client-go/tools/record#EventCorrelator */
const limits = {
  /** Burst of events for one server, and milliseconds until one more is allowed. */
  burst: 25,
  refillMs: 300_000,
  /** A repeated event within this time increments the count of the existing event. Milliseconds. */
  seriesMs: 600_000,
  /** Maximum number of event series that are remembered; the oldest are dropped first. */
  series: 4096,
  /** Maximum number of events that wait to be sent. */
  pending: 1000,
  /** Characters: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
  note: 1024,
}
const sendWithin = 10_000

interface Series { readonly name: string, readonly namespace: string, count: number, at: number }
interface Bucket { tokens: number, at: number }

/** Records events in the background. Repeated events are counted, excess events are dropped, and a failure affects nothing else. */
export class EventRecorder {
  readonly #options: EventRecorderOptions
  readonly #series = new Map<string, Series>()
  readonly #buckets = new Map<string, Bucket>()
  readonly #pending: ApiRequest[] = []
  readonly #abort = new AbortController()
  #sending: Promise<void> | undefined

  constructor (options: EventRecorderOptions) {
    this.#options = options
  }

  /** Returns at once. */
  record (server: DittoServer, occurrence: Occurrence): void {
    const now = this.#options.clock.monotonic()
    const { name, namespace, uid } = server.metadata
    if (this.#abort.signal.aborted || !this.#mayRecord(uid, now)) return
    const { type, reason, note } = occurrence
    const key = JSON.stringify([uid, type, reason, note])
    const known = this.#series.get(key)
    this.#series.delete(key)
    if (known && now - known.at < limits.seriesMs) {
      this.#remember(key, { ...known, count: known.count + 1, at: now })
      this.#enqueue(this.#repetition(known.namespace, known.name, known.count + 1))
      return
    }
    const unique = `${this.#options.clock.wall().getTime().toString(16)}${Math.floor(this.#options.random() * 2 ** 32).toString(16).padStart(8, '0')}`
    const series = { name: `${name}.${unique}`, namespace, count: 1, at: now }
    this.#remember(key, series)
    this.#enqueue(createEvent(server, occurrence, series.name, this.#options.clock.wall()))
  }

  /** Drops the events that wait. */
  async stop (): Promise<void> {
    this.#abort.abort()
    await this.#sending
  }

  /** A token bucket for each server. */
  #mayRecord (uid: string, now: number): boolean {
    const { tokens, at } = this.#buckets.get(uid) ?? { tokens: limits.burst, at: now }
    const refilled = Math.min(limits.burst, tokens + (now - at) / limits.refillMs)
    this.#buckets.delete(uid)
    this.#buckets.set(uid, { tokens: Math.max(0, refilled - 1), at: now })
    forgetOldest(this.#buckets, limits.series)
    if (refilled >= 1) return true
    this.#options.log.debug({ uid }, 'event dropped: too many for one server')
    return false
  }

  #remember (key: string, series: Series): void {
    this.#series.set(key, series)
    forgetOldest(this.#series, limits.series)
  }

  #enqueue (request: ApiRequest): void {
    if (this.#pending.length >= limits.pending) {
      this.#options.log.warn({ path: request.path }, 'event dropped: the queue is full')
      return
    }
    this.#pending.push(request)
    this.#sending ??= this.#send().finally(() => { this.#sending = undefined })
  }

  async #send (): Promise<void> {
    const { client, log, fence } = this.#options
    for (let request = this.#pending.shift(); request && !this.#abort.signal.aborted; request = this.#pending.shift()) {
      const { path } = request
      await client.request({ ...request, signal: this.#abort.signal, timeoutMs: sendWithin, beforeSend: fence }).catch((error: unknown) => {
        if (!this.#abort.signal.aborted) log.warn({ path, err: error }, 'event not recorded')
      })
    }
  }

  #repetition (namespace: string, name: string, count: number): ApiRequest {
    const series = { count, lastObservedTime: microTime(this.#options.clock.wall()) }
    return mergePatchRequest(resourcePath(resource, { namespace, name }), { series }, fieldManager)
  }
}

/** The request that creates an event about a server. Pure. */
export function createEvent (server: DittoServer, { type, reason, action, note }: Occurrence, name: string, now: Date): ApiRequest {
  const { name: serverName, namespace, uid } = server.metadata
  return createRequest(resourcePath(resource, { namespace }), {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name, namespace },
    eventTime: microTime(now),
    type,
    reason,
    action,
    note: [...note].slice(0, limits.note).join(''),
    reportingController: `${group}/dittoserver-controller`,
    reportingInstance: hostname().slice(0, 128),
    regarding: { apiVersion, kind, name: serverName, namespace, uid },
  })
}

/** https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#MicroTime */
const microTime = (time: Date) => time.toISOString().replace(/Z$/, '000Z')

const resource = { group: 'events.k8s.io', version: 'v1', resource: 'events' }

function forgetOldest (map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return
    map.delete(key)
  }
}
