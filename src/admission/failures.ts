import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyBaseLogger, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { cut } from '../dittoserver/quote.ts'
import type { Status } from './review.ts'

const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  408: 'Timeout',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  429: 'TooManyRequests',
  431: 'RequestHeaderFieldsTooLarge',
  500: 'InternalError',
}

const failure = (code: number, message: string): Status => ({
  kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason: reasons[code] ?? 'Unknown', message,
})

/** Maximum length of a URL in a log line, in characters. */
const longestUrl = 256

const origin = ({ method, url, ip }: FastifyRequest) => ({ method, url: cut(url, longestUrl), from: ip })

/** A request that is not a review gets a 4xx with a Status, like the answers of the API server, and a log line. */
export function answerFailures (app: FastifyInstance): void {
  app.setErrorHandler(answerError)
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? ''
    const known = app.hasRoute({ method: 'POST', url: path })
    const code = known ? 405 : 404
    const message = known ? `${request.method} is not allowed here: use POST` : 'no such path: POST an AdmissionReview to /mutate or /validate'
    request.log.warn({ code, cause: message, ...origin(request) }, 'request refused')
    if (known) void reply.header('allow', 'POST')
    return reply.code(code).send(failure(code, message))
  })
  app.addHook('onRequestAbort', (request, done) => {
    request.log.warn(origin(request), 'the client closed the connection before the request was complete')
    done()
  })
}

export function answerError (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const code = error.statusCode ?? 500
  if (code >= 500) request.log.error({ err: error, ...origin(request) }, 'request failed')
  else request.log.warn({ code, cause: cut(error.message, longestUrl), ...origin(request) }, 'request refused')
  // The client of the API server retries after this number of seconds.
  if (code === 429) void reply.header('retry-after', '1')
  return reply.code(code).send(failure(code, code >= 500 ? 'internal error' : cut(error.message, longestUrl)))
}

/** Answers errors before there is a request: the data is not HTTP, or was too late. */
export function answerClientError (log: FastifyBaseLogger, error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const [code, message] = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
    ? [408, 'the request took too long to arrive'] as const
    : error.code === 'HPE_HEADER_OVERFLOW' ? [431, 'the headers are too large'] as const : [400, 'this is no HTTP request'] as const
  log.debug({ code, cause: error.message }, 'connection refused')
  if (socket.writable) {
    const body = JSON.stringify(failure(code, message))
    const head = [
      `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ''}`, `content-length: ${Buffer.byteLength(body)}`, 'content-type: application/json', 'connection: close',
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  }
  socket.destroy(error)
}
