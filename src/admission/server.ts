import type { Server } from 'node:https'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { bodyLimit } from './body.ts'
import { answerClientError, answerError, answerFailures } from './failures.ts'
import { endLastConnections } from './last-connections.ts'
import { withoutSchemas } from '../health/without-schemas.ts'
import { admissionRoutes, type AdmissionOptions } from './routes.ts'

/**
 * The API server keeps idle connections for 90 s (the default of Go's http.Transport). If this server closed a connection first, a
 * request that was just sent would fail.
 */
const keepAliveTimeout = 120_000

/** A connection without traffic for this long is closed: its client is gone, or does not read the answer. */
const connectionTimeout = keepAliveTimeout + 10_000

/** The API server waits at most 30 s for a webhook, so nobody waits for a request that takes longer to arrive. */
const requestTimeout = 30_000
/** Node swaps the two timeouts if this one is longer, and its default of 60 s is. */
const headersTimeout = 15_000
const handshakeTimeout = 10_000

export interface ServerOptions extends AdmissionOptions {
  readonly logger: FastifyBaseLogger
  /** PEM. `server.setSecureContext` replaces it at run time. Without a certificate, handshakes fail until then. */
  readonly tls: { readonly cert: Buffer | string, readonly key: Buffer | string, readonly ca?: readonly string[] } | undefined
  /** Whether clients must present a certificate signed by the `ca` of `tls`. */
  readonly verifyClients?: boolean
  /** Maximum number of connections; further ones are closed. More than `maxInFlight`, so that a 429 can be sent. */
  readonly maxConnections: number
}

/** The HTTPS server, complete but not yet listening. */
export function buildServer ({ logger, tls, verifyClients = false, maxConnections, ...options }: ServerOptions): FastifyInstance<Server> {
  const app = Fastify({
    loggerInstance: logger,
    https: {
      ...tls && { cert: tls.cert, key: tls.key, ...tls.ca ? { ca: [...tls.ca] } : {} },
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      requestCert: verifyClients,
      rejectUnauthorized: verifyClients,
      handshakeTimeout,
      headersTimeout,
      requestTimeout,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeoutBuffer: 1_000,
    },
    bodyLimit,
    keepAliveTimeout,
    connectionTimeout,
    requestTimeout,
    // While draining the server still answers: for the API server, a 503 would be a failed webhook call.
    return503OnClosing: false,
    // The routes write one line per review, with its uid.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => '',
    childLoggerFactory: parent => parent,
    exposeHeadRoutes: false,
    schemaController: withoutSchemas,
    frameworkErrors: (error, request, reply) => { answerError(error, request, reply) },
    clientErrorHandler: (error, socket) => { answerClientError(logger, error, socket) },
  }) as unknown as FastifyInstance<Server>

  app.server.maxConnections = maxConnections
  app.server.on('drop', () => { options.metrics.webhookConnectionsDropped.inc() })
  answerFailures(app as unknown as FastifyInstance)
  const endConnections = endLastConnections(app.server, requestTimeout)
  app.addHook('preClose', done => {
    endConnections()
    done()
  })
  admissionRoutes(app as unknown as FastifyInstance, options)
  return app
}
