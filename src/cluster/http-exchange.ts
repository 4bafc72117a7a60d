import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { urlToHttpOptions } from 'node:url'
import type { IncomingMessage } from 'node:http'
import type { RequestOptions } from 'node:https'
import type { Clock } from '../clock.ts'
import { joinedChunks } from '../joined-chunks.ts'
import { ApiError, ConnectionError, errorCode, isStatus } from './api-error.ts'

/** With TCP keep-alive, the kernel detects a peer that vanished without closing (a node that lost power, a dropped NAT entry). */
const tcpKeepAliveMs = 30_000

/** The length of the excerpt for the log if an answer is not a Status (for example an HTML page of a proxy). */
const excerptLength = 200

/** The part of a reply that is used. The body of a watch arrives in chunks as long as the watch lasts. */
export type Reply = Pick<IncomingMessage, 'statusCode' | 'headers' | 'headersDistinct'> & AsyncIterable<Buffer>

/** Sends one request and receives its reply. The simulation has its own implementation. */
export type Exchange = (url: URL, options: RequestOptions, body: string | undefined) => Promise<Reply>

/**
 * Sends one request; resolves with the reply when its headers have arrived. Rejects with ConnectionError, or with the reason of the signal.
 * `options` are those of `https.request`, including `signal`.
 */
export const exchange: Exchange = async (url, options, body) => {
  const { signal } = options
  return await new Promise<IncomingMessage>((resolve, reject) => {
    const send = url.protocol === 'http:' ? httpRequest : httpsRequest
    const request = send({ ...urlToHttpOptions(url), ...options })
    // Otherwise Node sends the body of a DELETE without any framing.
    if (body !== undefined) request.setHeader('Content-Length', Buffer.byteLength(body))
    request.on('socket', socket => { socket.setKeepAlive(true, tcpKeepAliveMs) })
    request.on('response', resolve)
    // This handler stays for the lifetime of the request: an error after the headers is reported on the reply, and must be ignored here.
    request.on('error', error => {
      reject(signal?.aborted === true ? signal.reason as Error : connectionError(error, request.reusedSocket))
    })
    request.end(body)
  })
}

/** The whole reply. Rejects with ConnectionError if the reply is longer than `maxBytes` or is interrupted. */
export async function readBody (reply: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of reply) {
      length += chunk.length
      if (length > maxBytes) throw new ConnectionError(`the reply is longer than ${maxBytes} bytes`, 'ETOOLARGE')
      chunks.push(chunk)
    }
  } catch (error) {
    throw error instanceof ConnectionError ? error : connectionError(error, false)
  }
  return joinedChunks(chunks).toString('utf8')
}

/** Parses JSON without the parser's own error, because that quotes the text, which may contain a Secret. */
export function parseJson (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ConnectionError(`the reply, ${text.length} characters, is not JSON`, 'EMALFORMED')
  }
}

export async function readApiError (reply: Reply, maxBytes: number, clock: Clock): Promise<ApiError> {
  const status = reply.statusCode ?? 0
  const text = await readBody(reply, maxBytes)
  const retryAfter = retryAfterSeconds(reply.headers['retry-after'], clock)
  try {
    const body: unknown = JSON.parse(text)
    if (isStatus(body)) return new ApiError(status, body, retryAfter)
  } catch {
    // Not from the API server itself: the excerpt below shows the answer.
  }
  const excerpt = text.slice(0, excerptLength).trim()
  return new ApiError(status, excerpt === '' ? {} : { message: excerpt }, retryAfter)
}

export function connectionError (cause: unknown, reusedSocket: boolean): ConnectionError {
  const code = errorCode(cause)
  return new ConnectionError(cause instanceof Error ? cause.message || code : code, code, { cause, reusedSocket })
}

/** Seconds or a date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function retryAfterSeconds (value: string | undefined, clock: Clock): number | undefined {
  if (value === undefined) return undefined
  const seconds = /^\d{1,9}$/.test(value) ? Number(value) : (Date.parse(value) - clock.wall().getTime()) / 1000
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds)
}
