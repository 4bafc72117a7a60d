import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import type { IncomingMessage } from 'node:http'
import type { RequestOptions } from 'node:https'
import { ApiError, ConnectionError } from './api-error.ts'
import { abortable, withDeadline } from './deadline.ts'
import { exchange, parseJson, readApiError, readBody } from './http-exchange.ts'

/** Where the API server is, and what each request shows it. */
export interface ApiConnection {
  readonly server: URL
  /** TLS material, authorization and, behind a proxy, the agent. Asked for each request, since credentials rotate. */
  requestOptions (): Promise<RequestOptions>
  /** After a 401: forgets cached credentials. False when that was done moments ago, so trying again is of no use. */
  refresh (): boolean
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Encoded already: see `resourcePath`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  /** Sent as JSON, exactly as it is. */
  readonly body?: unknown
  readonly contentType?: string
  readonly accept?: string
  /** The Kubernetes verb, for metrics: `get`, `list`, `watch`, `create`, `update`, `patch`, `apply`, `delete`. */
  readonly verb: string
  readonly signal?: AbortSignal
  /** Covers everything, retries included. Default 30 s. */
  readonly timeoutMs?: number
  /** For reads: tries again, at most twice, when the API server is busy and says when to come back. */
  readonly retry?: boolean
  readonly maxBytes?: number
  /** Called with each warning of the reply: https://kubernetes.io/blog/2020/09/03/warnings/ */
  readonly onWarning?: (text: string) => void
}

/** One reply, or one failure, which has no status. */
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
}

const defaultTimeoutMs = 30_000
/** The largest reply is a page of a list: 500 objects of 128 KiB. One object is at most 3 MB (a custom resource). */
const defaultMaxBytes = 64 * 1024 * 1024
const maxErrorBytes = 1024 * 1024
const attempts = 3
const maxRetryAfterSeconds = 10

const agentOptions = {
  keepAlive: true,
  // kube-apiserver closes a connection that was idle for 90 s; we must be first, or a request meets a closing one.
  timeout: 60_000,
  // Each watch holds one. Beyond this, requests wait their turn, and time out if it does not come.
  maxSockets: 128,
  maxFreeSockets: 16,
}

/**
 * Talks JSON with one API server: what is sent is what was given, what comes back is what was received. (The serializer
 * of @kubernetes/client-node drops the fields its models do not know.)
 */
export class ApiClient {
  readonly #connection: ApiConnection
  readonly #userAgent: string
  readonly #observe: ((outcome: RequestOutcome) => void) | undefined
  readonly #agent: HttpAgent

  constructor ({ connection, userAgent, observe }: ApiClientOptions) {
    this.#connection = connection
    this.#userAgent = userAgent
    this.#observe = observe
    this.#agent = connection.server.protocol === 'http:' ? new HttpAgent(agentOptions) : new HttpsAgent(agentOptions)
  }

  /** The parsed reply. Rejects with ApiError, ConnectionError, or the reason of `signal`. */
  async request<Reply = unknown> (request: ApiRequest): Promise<Reply> {
    return await withDeadline(request.timeoutMs ?? defaultTimeoutMs, request.signal, async signal => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.#once(request, signal, async reply =>
            parseJson(await readBody(reply, request.maxBytes ?? defaultMaxBytes)) as Reply)
        } catch (error) {
          const seconds = signal.aborted ? undefined : this.#retryAfter(request, error, attempt)
          if (seconds === undefined) throw error
          await delay(seconds * 1000, undefined, { signal })
        }
      }
    })
  }

  /** The reply as a stream, for a watch; `signal` ends it, and nothing else does. Rejects as `request` does. */
  async open (request: ApiRequest & { readonly signal: AbortSignal }): Promise<IncomingMessage> {
    try {
      return await this.#once(request, request.signal, reply => Promise.resolve(reply))
    } catch (error) {
      // A watch is opened again by its owner; here it only takes new credentials along.
      if (error instanceof ApiError && error.status === 401) this.#connection.refresh()
      throw error
    }
  }

  close (): void {
    this.#agent.destroy()
  }

  async #once<Reply> (request: ApiRequest, signal: AbortSignal, read: (reply: IncomingMessage) => Promise<Reply>): Promise<Reply> {
    const started = performance.now()
    let status: number | undefined
    try {
      const reply = await exchange(this.#url(request), await this.#options(request, signal), serialize(request.body))
      status = reply.statusCode ?? 0
      if (request.onWarning) warningsIn(reply).forEach(request.onWarning)
      if (status < 200 || status > 299) throw await readApiError(reply, maxErrorBytes)
      return await read(reply)
    } catch (error) {
      if (error instanceof ConnectionError) status = undefined
      throw signal.aborted ? signal.reason : error
    } finally {
      this.#observe?.({ verb: request.verb, method: request.method, status, seconds: (performance.now() - started) / 1000 })
    }
  }

  #url ({ path, query = {} }: ApiRequest): URL {
    const { server } = this.#connection
    // The server may itself be behind a path: https://rancher.example/k8s/clusters/c-1
    const url = new URL(server.pathname.replace(/\/$/, '') + path, server)
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value))
    }
    return url
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

  /** Seconds to wait before the next attempt; undefined when the failure stands. */
  #retryAfter (request: ApiRequest, error: unknown, attempt: number): number | undefined {
    if (attempt >= attempts) return undefined
    if (error instanceof ConnectionError) return request.method === 'GET' && error.reusedSocket ? 0 : undefined
    if (!(error instanceof ApiError)) return undefined
    // Refused before anything was done, so this is safe for writes too.
    if (error.status === 401) return this.#connection.refresh() ? 0 : undefined
    if (request.method !== 'GET' || request.retry !== true || error.retryAfterSeconds === undefined) return undefined
    return error.status === 429 || error.status === 503 ? Math.min(error.retryAfterSeconds, maxRetryAfterSeconds) : undefined
  }
}

/** `299 - "text"`, with backslashes before quotes: https://www.rfc-editor.org/rfc/rfc7234#section-5.5 */
const warningsIn = (reply: IncomingMessage): string[] =>
  (reply.headersDistinct.warning ?? []).flatMap(header => {
    const [, text] = /^299 \S+ "(.*)"$/.exec(header) ?? []
    return text === undefined ? [] : [text.replace(/\\(.)/g, '$1')]
  })

const serialize = (body: unknown) => body === undefined ? undefined : JSON.stringify(body)
