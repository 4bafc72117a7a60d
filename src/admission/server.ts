import type { Server } from 'node:https'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyError, type FastifyInstance } from 'fastify'
import { endLastConnections } from './last-connections.ts'
import { admissionRoutes, type AdmissionOptions } from './routes.ts'
import type { Status } from './review.ts'

/**
 * The API server takes objects of up to 3 MB; a review of an UPDATE carries two, and 1 MB is left for the rest.
 * https://github.com/kubernetes-sigs/controller-runtime/blob/main/pkg/webhook/admission/http.go
 */
export const bodyLimit = 7 * 1024 * 1024

/**
 * The API server keeps idle connections for 90 s (the default of Go's http.Transport). Whoever closes first while a
 * request is on its way makes that request fail, so it must not be us.
 */
const keepAliveTimeout = 120_000

/** No webhook is waited for longer than 30 s, so a request that takes longer to arrive has nobody waiting for it. */
const requestTimeout = 30_000
/** Node swaps the two where this one is longer, as its default of 60 s would be. */
const headersTimeout = 15_000

export interface ServerOptions extends AdmissionOptions {
  readonly logger: FastifyBaseLogger
  /** PEM. Replaced while running through `server.setSecureContext`; without one, nobody can shake hands until then. */
  readonly tls: { readonly cert: Buffer | string, readonly key: Buffer | string } | undefined
}

/** The HTTPS server, complete but not yet listening. */
export function buildServer ({ logger, tls, ...options }: ServerOptions): FastifyInstance<Server> {
  const app = Fastify({
    loggerInstance: logger,
    https: {
      ...tls,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      headersTimeout,
      requestTimeout,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeoutBuffer: 1_000,
    },
    bodyLimit,
    keepAliveTimeout,
    requestTimeout,
    // While draining the server goes on answering: a 503 would be a failed webhook call to the API server.
    return503OnClosing: false,
    // One line a review, with its uid, is written by the routes.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => '',
    childLoggerFactory: parent => parent,
    exposeHeadRoutes: false,
  }) as unknown as FastifyInstance<Server>

  // Fastify's own parser refuses `__proto__` with a 400, which the API server would take for a broken webhook. To JSON.parse
  // it is a key like any other, and nothing here reads by key but own properties.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, JSON.parse(body.toString()))
    } catch {
      done(Object.assign(new Error(body.length === 0 ? 'the body is empty' : 'the body is not JSON'), { statusCode: 400 }), undefined)
    }
  })

  app.setErrorHandler((error: FastifyError, request, reply) => {
    const code = error.statusCode ?? 500
    if (code >= 500) request.log.error({ err: error, method: request.method, url: request.url }, 'request failed')
    else request.log.warn({ code, cause: error.message, method: request.method, url: request.url, from: request.ip }, 'request refused')
    return reply.code(code).send(failure(code, code >= 500 ? 'internal error' : error.message))
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? ''
    const known = app.hasRoute({ method: 'POST', url: path })
    const code = known ? 405 : 404
    const message = known ? `${request.method} is not allowed here: use POST` : 'no such path: POST an AdmissionReview to /mutate or /validate'
    request.log.warn({ code, cause: message, method: request.method, url: request.url, from: request.ip }, 'request refused')
    if (known) void reply.header('allow', 'POST')
    return reply.code(code).send(failure(code, message))
  })
  app.addHook('onRequestAbort', (request, done) => {
    request.log.warn({ method: request.method, url: request.url, from: request.ip }, 'client hung up before the whole request was there')
    done()
  })

  const endConnections = endLastConnections(app.server, requestTimeout)
  app.addHook('preClose', done => {
    endConnections()
    done()
  })
  admissionRoutes(app, options)
  return app
}

const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest', 404: 'NotFound', 405: 'MethodNotAllowed', 408: 'Timeout', 413: 'RequestEntityTooLarge', 415: 'UnsupportedMediaType', 429: 'TooManyRequests', 500: 'InternalError',
}

const failure = (code: number, message: string): Status => ({
  kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason: reasons[code] ?? 'Unknown', message,
})
