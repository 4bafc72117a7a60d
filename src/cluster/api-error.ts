/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
export interface Status {
  readonly kind: 'Status'
  readonly code?: number
  readonly reason?: string
  readonly message?: string
  readonly details?: StatusDetails
}

export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  readonly kind?: string
  readonly retryAfterSeconds?: number
  readonly causes?: readonly { readonly reason?: string, readonly message?: string, readonly field?: string }[]
}

/** The API server answered with a refusal: any status except 2xx, or an ERROR event of a watch. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  /** Such as `NotFound`, `Conflict`, `Expired`; empty if the answer came from a proxy in between. */
  readonly reason: string
  readonly details: StatusDetails | undefined
  readonly retryAfterSeconds: number | undefined

  constructor (status: number, body: Partial<Status>, retryAfterSeconds?: number) {
    super(body.message ?? `HTTP status ${status}`)
    this.status = status
    this.reason = body.reason ?? ''
    this.details = body.details
    this.retryAfterSeconds = retryAfterSeconds ?? body.details?.retryAfterSeconds
  }
}

/** No usable answer: connection refused, reset, timed out, an untrusted certificate, a reply that is not JSON. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  /** The code of the system or of TLS, such as `ECONNREFUSED`, or one of our own, such as `EMALFORMED`. */
  readonly code: string
  /** The connection had served a request before, so the API server may only have closed it because it was idle. */
  readonly reusedSocket: boolean

  constructor (message: string, code: string, options: { cause?: unknown, reusedSocket?: boolean } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.code = code
    this.reusedSocket = options.reusedSocket ?? false
  }
}

export const isStatus = (value: unknown): value is Status =>
  typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'Status'

export const hasStatus = (error: unknown, status: number): error is ApiError => error instanceof ApiError && error.status === status

/** The `code` that Node sets on errors of the system and of TLS. */
export function errorCode (error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : 'EUNKNOWN'
}
