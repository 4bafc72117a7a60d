import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { RequestOptions } from 'node:https'
import { systemClock, type Clock } from '../clock.ts'
import { ApiError, ConnectionError } from './api-error.ts'
import { abortable, withDeadline } from './deadline.ts'
import { exchange as realExchange, parseJson, readApiError, readBody, type Exchange, type Reply } from './http-exchange.ts'

/** The address of the API server, and the credentials of each request. */
export interface ApiConnection {
  readonly server: URL
  /** TLS material, authorization and, behind a proxy, the agent. Called for each request, because credentials rotate. */
  requestOptions (): Promise<RequestOptions>
  /** After a 401: discards cached credentials. False if that was done a moment ago, so a retry would not help. */
  refresh (): boolean
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Already encoded: see `resourcePath`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  /** Sent as JSON, unchanged. */
  readonly body?: unknown
  readonly contentType?: string
  readonly accept?: string
  /** The Kubernetes verb, for metrics: `get`, `list`, `watch`, `create`, `update`, `patch`, `apply`, `delete`. */
  readonly verb: string
  readonly signal?: AbortSignal
  /** Time limit for everything, including retries. Default 30 s. */
  readonly timeoutMs?: number
  /** For reads: retries at most twice when the API server is busy and says when to retry. */
  readonly retry?: boolean
  readonly maxBytes?: number
  /** Called with each warning in the reply: https://kubernetes.io/blog/2020/09/03/warnings/ */
  readonly onWarning?: (text: string) => void
  /** Called immediately before the request is sent, each time it is sent. If it throws, the request is not sent. */
  readonly beforeSend?: () => void
}

/** One reply, or one failure without a status. */
export interface RequestOutcome {
  readonly verb: string
  readonly method: string
  readonly status: number | undefined
  readonly seconds: number
}

export interface ApiClientOptions {
  readonly connection: ApiConnection
  readonly userAgent: string
  readonly observe?: (outcome: RequestOutcome) => void
  readonly exchange?: Exchange
  readonly clock?: Clock
}

const defaultTimeoutMs = 30_000
/** The largest reply is a page of a list: 100 objects of 640 KiB. One object is at most 3 MB (a custom resource). */
const defaultMaxBytes = 64 * 1024 * 1024
const maxErrorBytes = 1024 * 1024
/**
 * Characters. The lists of several kinds arrive at the same time. Parsing a megabyte in one turn of the event loop takes 5 to 10 ms and
 * would block everything else.
 */
const largeReply = 64 * 1024
const attempts = 3
const maxRetryAfterSeconds = 10

const agentOptions = {
  keepAlive: true,
  // kube-apiserver closes a connection that was idle for 90 s. We must close it first, or a request may use a connection that is being
  // closed.
  timeout: 60_000,
  // Each watch uses one connection. Above this limit, requests wait, and time out if no connection becomes free.
  maxSockets: 128,
  maxFreeSockets: 16,
}

/**
 * Sends and receives JSON from one API server without changing it. (The serializer of @kubernetes/client-node drops fields that its models
 * do not know.)
 */
export class ApiClient {
  readonly #connection: ApiConnection
  readonly #userAgent: string
  readonly #observe: ((outcome: RequestOutcome) => void) | undefined
  readonly #agent: HttpAgent
  readonly #exchange: Exchange
  readonly #clock: Clock
  #lastTurn: Promise<void> = Promise.resolve()

  constructor ({ connection, userAgent, observe, exchange = realExchange, clock = systemClock }: ApiClientOptions) {
    this.#connection = connection
    this.#userAgent = userAgent
    this.#observe = observe
    this.#exchange = exchange
    this.#clock = clock
    this.#agent = connection.server.protocol === 'http:' ? new HttpAgent(agentOptions) : new HttpsAgent(agentOptions)
  }

  /** The parsed reply. Rejects with ApiError, ConnectionError, or the reason of `signal`. */
  async request<Body = unknown> (request: ApiRequest): Promise<Body> {
    return await withDeadline(this.#clock, request.timeoutMs ?? defaultTimeoutMs, request.signal, async signal => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.#once(request, signal, async reply => {
            const text = await readBody(reply, request.maxBytes ?? defaultMaxBytes)
            if (text.length > largeReply) await this.#turn(signal)
            return parseJson(text) as Body
          })
        } catch (error) {
          const seconds = signal.aborted ? undefined : this.#retryAfter(request, error, attempt)
          if (seconds === undefined) throw error
          await this.#clock.sleep(seconds * 1000, signal)
          signal.throwIfAborted()
        }
      }
    })
  }

  /** The reply as a stream, for a watch; only `signal` ends it. Rejects like `request`. */
  async open (request: ApiRequest & { readonly signal: AbortSignal }): Promise<Reply> {
    try {
      return await this.#once(request, request.signal, reply => Promise.resolve(reply))
    } catch (error) {
      // The owner reopens a watch; here it only gets new credentials.
      if (error instanceof ApiError && error.status === 401) this.#connection.refresh()
      throw error
    }
  }

  close (): void {
    this.#agent.destroy()
  }

  /** The next turn of the event loop that no other caller has reserved. */
  async #turn (signal: AbortSignal): Promise<void> {
    this.#lastTurn = this.#lastTurn.then(async () => { await this.#clock.sleep(0, signal) })
    await this.#lastTurn
  }

  async #once<Result> (request: ApiRequest, signal: AbortSignal, read: (reply: Reply) => Promise<Result>): Promise<Result> {
    const started = this.#clock.monotonic()
    let status: number | undefined
    try {
      const [options, body] = [await this.#options(request, signal), serialize(request.body)]
      request.beforeSend?.()
      const reply = await this.#exchange(this.#url(request), options, body)
      status = reply.statusCode ?? 0
      if (request.onWarning) warningsIn(reply).forEach(request.onWarning)
      if (status < 200 || status > 299) throw await readApiError(reply, maxErrorBytes, this.#clock)
      return await read(reply)
    } catch (error) {
      if (error instanceof ConnectionError) status = undefined
      throw signal.aborted ? signal.reason : error
    } finally {
      this.#observe?.({ verb: request.verb, method: request.method, status, seconds: (this.#clock.monotonic() - started) / 1000 })
    }
  }

  #url ({ path, query = {} }: ApiRequest): URL {
    const { server } = this.#connection
    const search = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value))
    // The server URL may contain a path: https://rancher.example/k8s/clusters/c-1
    const whole = server.pathname.replace(/\/$/, '') + path
    return new URL(search.size === 0 ? whole : `${whole}?${search.toString()}`, server)
  }

  async #options ({ method, body, contentType, accept }: ApiRequest, signal: AbortSignal): Promise<RequestOptions> {
    const credentials = await this.#credentials(signal)
    return {
      agent: this.#agent,
      ...credentials,
      method,
      signal,
      headers: {
        ...credentials.headers,
        Accept: accept ?? 'application/json',
        'User-Agent': this.#userAgent,
        ...(body === undefined ? {} : { 'Content-Type': contentType ?? 'application/json' }),
      },
    }
  }

  async #credentials (signal: AbortSignal): Promise<RequestOptions> {
    try {
      return await abortable(this.#connection.requestOptions(), signal)
    } catch (error) {
      if (signal.aborted) throw error
      throw new ConnectionError('no credentials for the API server', 'ECREDENTIALS', { cause: error })
    }
  }

  /** Seconds to wait before the next attempt; undefined if the failure is final. */
  #retryAfter (request: ApiRequest, error: unknown, attempt: number): number | undefined {
    if (attempt >= attempts) return undefined
    if (error instanceof ConnectionError) return request.method === 'GET' && error.reusedSocket ? 0 : undefined
    if (!(error instanceof ApiError)) return undefined
    // The request was refused before it had any effect, so a retry is safe for writes too.
    if (error.status === 401) return this.#connection.refresh() ? 0 : undefined
    if (request.method !== 'GET' || request.retry !== true || error.retryAfterSeconds === undefined) return undefined
    return error.status === 429 || error.status === 503 ? Math.min(error.retryAfterSeconds, maxRetryAfterSeconds) : undefined
  }
}

/** `299 - "text"`, with backslashes before quotes: https://www.rfc-editor.org/rfc/rfc7234#section-5.5 */
const warningsIn = (reply: Reply): string[] =>
  (reply.headersDistinct.warning ?? []).flatMap(header => {
    const [, text] = /^299 \S+ "(.*)"$/.exec(header) ?? []
    return text === undefined ? [] : [text.replace(/\\(.)/g, '$1')]
  })

const serialize = (body: unknown) => body === undefined ? undefined : JSON.stringify(body)
