import { ApiError, ConnectionError } from './api-error.ts'

/**
 * Why a lookup failed, for a warning or `/readyz`. The text is short and never contains a message of the API server, which may be long and
 * names the account of the operator. `attempt` is the action, such as `get secrets`.
 */
export function failureReason (error: unknown, attempt: string): string {
  if (error instanceof ApiError) return refusal(error.status, attempt)
  if (error instanceof ConnectionError) {
    if (error.code === 'ETIMEDOUT') return 'timed out'
    if (error.code === 'ECREDENTIALS') return error.message
    if (error.code === 'EMALFORMED' || error.code === 'ETOOLARGE') return `the API server's reply is not usable (${error.code})`
    return `the API server is unreachable (${error.code})`
  }
  if (error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')) return 'timed out'
  return 'internal error'
}

function refusal (status: number, attempt: string): string {
  switch (status) {
    case 401: return 'unauthorized: the API server does not accept the credentials'
    case 403: return `forbidden: no permission to ${attempt}`
    case 429: return 'the API server is busy (429)'
    case 504: return 'timed out'
    default: return status >= 500 ? `the API server failed (${status})` : `the API server refused to ${attempt} (${status})`
  }
}
