import { ApiError, ConnectionError } from './api-error.ts'

/**
 * Why something could not be learned, for a warning or `/readyz`: short, and never a text of the API server's, which may
 * be long and names the operator's account. `attempt` is what was tried, such as `get secrets`.
 */
export function failureReason (error: unknown, attempt: string): string {
  if (error instanceof ApiError) return refusal(error.status, attempt)
  if (error instanceof ConnectionError) {
    if (error.code === 'ETIMEDOUT') return 'timed out'
    if (error.code === 'ECREDENTIALS') return error.message
    if (error.code === 'EMALFORMED' || error.code === 'ETOOLARGE') return `the API server's reply is not usable (${error.code})`
    return `the API server is away (${error.code})`
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
