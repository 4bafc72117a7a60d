import { ConnectionError } from '../../src/cluster/api-error.ts'
import type { Exchange, Reply } from '../../src/cluster/http-exchange.ts'
import type { Cluster } from './cluster.ts'
import type { Machine } from './machine.ts'
import { Refused } from './model/errors.ts'
import { handle, refusal, watchOf, type ModelReply, type ModelRequest } from './model/http.ts'
import type { Chance } from './random.ts'
import { WatchStream } from './watch-stream.ts'
import type { Fate, Weather } from './weather.ts'

/** A message of a process, with the times when it is sent and received. */
export interface Sent {
  readonly process: string
  readonly request: ModelRequest
  /** A change of something, if it is done. */
  readonly isWrite: boolean
  readonly at: number
}

export interface NetworkOptions {
  readonly cluster: Cluster
  readonly chance: Chance
  readonly weather: (process: string) => Weather
  readonly fate: (sent: Sent, weather: Weather) => Fate
  /** How long events of a kind are late for one process, beyond the latency. */
  readonly lag: (process: string, resource: string) => number
  readonly onSent: (sent: Sent) => void
  /** `reply` is undefined for a watch that was opened; `changed`: something is different now. */
  readonly onArrived: (sent: Sent, reply: ModelReply | undefined, changed: boolean) => void
}

/** Each watch has a bookmark about once a minute: https://kubernetes.io/docs/reference/using-api/api-concepts/#watch-bookmarks */
const bookmarkInterval = 60_000

const reset = (reusedSocket: boolean) => new ConnectionError('read ECONNRESET', 'ECONNRESET', { reusedSocket })
const brokenStream = () => Object.assign(new Error('aborted'), { code: 'ECONNRESET' })

/** The way from processes to the API server and back. */
export class Network {
  readonly #options: NetworkOptions
  readonly #streams = new Set<{ readonly process: string, readonly stream: WatchStream }>()

  constructor (options: NetworkOptions) {
    this.#options = options
  }

  /** Replaces HTTP in one process. */
  exchange (process: string, machine: Machine): Exchange {
    return async (url, { signal, method = 'GET', headers = {} }, body) => {
      const { cluster: { world }, weather, fate, onSent } = this.#options
      const header = (name: string) => String((headers as Record<string, unknown>)[name] ?? '')
      const request: ModelRequest = {
        method, url, body, accept: header('Accept'), contentType: header('Content-Type'), userAgent: header('User-Agent'),
      }
      const sent: Sent = { process, request, isWrite: method !== 'GET', at: world.now }
      const now = weather(process)
      if (now.down) throw new ConnectionError('connect ECONNREFUSED', 'ECONNREFUSED')
      onSent(sent)
      const { promise, resolve, reject } = Promise.withResolvers<Reply>()
      const stop = () => { reject(signal?.reason as Error) }
      signal?.addEventListener('abort', stop, { once: true })
      this.#travel({ sent, machine, signal: signal ?? undefined, resolve, reject }, now, fate(sent, now))
      try {
        return await promise
      } finally {
        signal?.removeEventListener('abort', stop)
      }
    }
  }

  /** The API server closes watches: some of one process, or all of all. */
  closeWatches (how: 'end' | 'break' | 'expire' | 'silence', { process, share = 1 }: { readonly process?: string, readonly share?: number } = {}): void {
    for (const entry of [...this.#streams]) {
      if ((process !== undefined && entry.process !== process) || !this.#options.chance.happens(share)) continue
      const { stream } = entry
      if (how === 'silence') stream.isSilent = true
      else if (how === 'expire') stream.expire()
      else stream.close(how === 'break' ? brokenStream() : undefined)
      this.#streams.delete(entry)
    }
  }

  /** A process is no more. */
  forget (process: string): void { this.closeWatches('break', { process }) }

  #travel (call: Call, weather: Weather, fate: Fate): void {
    const { cluster: { world }, chance } = this.#options
    const there = world.now + chance.next() * weather.latency
    if (fate.type === 'lost') {
      if (!fate.silently) call.machine.wake(there + chance.next() * weather.latency, () => { call.reject(reset(chance.happens(0.3))) })
      return
    }
    world.quietlyAt(there, () => { this.#arrive(call, fate, weather) })
    if (fate.type === 'delivered' && fate.twice === true) world.quietlyAt(there + chance.next() * 1_000, () => { this.#answer(call.sent) })
  }

  #arrive (call: Call, fate: Fate, weather: Weather): void {
    const { cluster: { world }, chance } = this.#options
    const back = world.now + chance.next() * weather.latency
    const reply = fate.type === 'refused' && !fate.done ? undefined : this.#handle(call, back)
    if (fate.type === 'unanswered') {
      if (!fate.silently) call.machine.wake(back, () => { call.reject(reset(false)) })
      return
    }
    const answer = fate.type === 'refused' ? replyOf(refusalOf(fate.status)) : reply
    if (answer) call.machine.wake(back, () => { call.resolve(answer) })
  }

  /** Undefined: the watch is open, and its stream answers. */
  #handle (call: Call, back: number): Reply | undefined {
    const { cluster } = this.#options
    try {
      const watch = watchOf(cluster.api, call.sent.request)
      if (!watch) return replyOf(this.#answer(call.sent))
      const stream = this.#open(call, watch)
      this.#options.onArrived(call.sent, undefined, false)
      const reply = { statusCode: 200, headers: {}, headersDistinct: {}, [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator]() }
      call.machine.wake(back, () => { call.resolve(reply) })
      return undefined
    } catch (error) {
      if (error instanceof Refused) return replyOf(refusal(error))
      throw error
    }
  }

  #answer (sent: Sent): ModelReply {
    const { cluster, onArrived } = this.#options
    const { version } = cluster.api.store
    const reply = cluster.as(sent.process, () => handle(cluster.api, sent.request))
    onArrived(sent, reply, cluster.api.store.version !== version)
    return reply
  }

  #open ({ sent, machine, signal }: Call, watch: NonNullable<ReturnType<typeof watchOf>>): WatchStream {
    const { cluster: { world, api }, chance, weather, lag } = this.#options
    const { process, request: { url } } = sent
    const stream = new WatchStream({
      store: api.store,
      watch,
      now: () => world.now,
      wake: (at, run) => { machine.wake(at, run) },
      lag: () => chance.next() * weather(process).latency + lag(process, watch.kind.resource),
    })
    const entry = { process, stream }
    this.#streams.add(entry)
    const end = () => { this.#streams.delete(entry) }
    signal?.addEventListener('abort', () => {
      end()
      stream.abort(signal.reason as Error)
    }, { once: true })
    world.quietlyAt(world.now + Number(url.searchParams.get('timeoutSeconds') ?? 300) * 1_000, () => {
      if (stream.isOpen) stream.close()
      end()
    })
    const bookmark = () => {
      if (!stream.isOpen || !this.#streams.has(entry)) return
      stream.bookmark()
      world.quietlyAt(world.now + bookmarkInterval * (0.9 + 0.2 * chance.next()), bookmark)
    }
    world.quietlyAt(world.now + bookmarkInterval * chance.next(), bookmark)
    return stream
  }
}

interface Call {
  readonly sent: Sent
  readonly machine: Machine
  readonly signal: AbortSignal | undefined
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: Error) => void
}

const replyOf = ({ status, headers, body }: ModelReply): Reply => ({
  statusCode: status,
  headers,
  headersDistinct: {},
  async * [Symbol.asyncIterator] () { yield Buffer.from(body) },
})

const reasons = {
  409: 'Conflict', 429: 'TooManyRequests', 500: 'InternalError', 503: 'ServiceUnavailable', 504: 'Timeout',
} as const

/** The answer of an API server that is busy, broken, or too slow. */
function refusalOf (status: keyof typeof reasons): ModelReply {
  const { body } = refusal(new Refused(status, reasons[status], 'the simulation says no'))
  return { status, body, headers: { 'content-type': 'application/json', ...(status === 429 || status === 503 ? { 'retry-after': '1' } : {}) } }
}
