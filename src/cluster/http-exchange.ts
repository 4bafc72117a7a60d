import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { urlToHttpOptions } from 'node:url'
import type { IncomingMessage } from 'node:http'
import type { RequestOptions } from 'node:https'
import { ApiError, ConnectionError, errorCode, isStatus } from './api-error.ts'

/** A peer that vanished without closing (a node that lost power, a dropped NAT entry) is noticed by the kernel. */
const tcpKeepAliveMs = 30_000

/** Of an answer that is no Status (a proxy's HTML page, say), this much is kept for the log. */
const excerptLength = 200

/**
 * Sends one request; resolves with the reply as soon as its headers are there. Rejects with ConnectionError, or with the
 * signal's reason. `options` are those of `https.request`, including `signal`.
 */
export function exchange (url: URL, options: RequestOptions, body: string | undefined): Promise<IncomingMessage> {
  const { signal } = options
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'http:' ? httpRequest : httpsRequest
    const request = send({ ...urlToHttpOptions(url), ...options })
    // Without it, Node frames the body of a DELETE in no way at all.
    if (body !== undefined) request.setHeader('Content-Length', Buffer.byteLength(body))
    request.on('socket', socket => { socket.setKeepAlive(true, tcpKeepAliveMs) })
    request.on('response', resolve)
    // Stays for the life of the request: an error after the headers is reported on the reply, and here to no effect.
    request.on('error', error => {
      reject(signal?.aborted === true ? signal.reason as Error : connectionError(error, request.reusedSocket))
    })
    request.end(body)
  })
}

/** The whole reply. Rejects with ConnectionError when it is longer than `maxBytes` or breaks off. */
export async function readBody (reply: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of reply as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > maxBytes) throw new ConnectionError(`the reply is longer than ${maxBytes} bytes`, 'ETOOLARGE')
      chunks.push(chunk)
    }
  } catch (error) {
    throw error instanceof ConnectionError ? error : connectionError(error, false)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** JSON, without the parser's own error: it quotes the text, which may be a Secret's. */
export function parseJson (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ConnectionError(`the reply, ${text.length} characters, is not JSON`, 'EMALFORMED')
  }
}

export async function readApiError (reply: IncomingMessage, maxBytes: number): Promise<ApiError> {
  const status = reply.statusCode ?? 0
  const text = await readBody(reply, maxBytes)
  const retryAfter = retryAfterSeconds(reply.headers['retry-after'])
  try {
    const body: unknown = JSON.parse(text)
    if (isStatus(body)) return new ApiError(status, body, retryAfter)
  } catch {
    // Not from the API server itself: the excerpt below says what it was.
  }
  const excerpt = text.slice(0, excerptLength).trim()
  return new ApiError(status, excerpt === '' ? {} : { message: excerpt }, retryAfter)
}

export function connectionError (cause: unknown, reusedSocket: boolean): ConnectionError {
  const code = errorCode(cause)
  return new ConnectionError(cause instanceof Error ? cause.message || code : code, code, { cause, reusedSocket })
}

/** Seconds or a date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function retryAfterSeconds (value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const seconds = /^\d{1,9}$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds)
}
