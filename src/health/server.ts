import Fastify, { type FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'

export interface HealthOptions {
  readonly registry: Registry
  /** Why the process should not get requests now; empty when it should. */
  readonly notReady: () => readonly string[]
}

/**
 * Plain HTTP for probes and Prometheus. `/livez` says that the process runs and depends on nothing else: an API server that
 * is away must not get every replica restarted.
 */
export function buildHealthServer ({ registry, notReady }: HealthOptions): FastifyInstance {
  const app = Fastify({ logger: false, return503OnClosing: false })
  const text = 'text/plain; charset=utf-8'
  const ready = () => {
    const reasons = notReady()
    return reasons.length === 0 ? { code: 200, body: 'ok\n' } : { code: 503, body: `not ready:\n${reasons.map(reason => `- ${reason}\n`).join('')}` }
  }
  app.get('/livez', async (_request, reply) => reply.type(text).send('ok\n'))
  app.get('/healthz', async (_request, reply) => reply.type(text).send('ok\n'))
  app.get('/readyz', async (_request, reply) => {
    const { code, body } = ready()
    return reply.code(code).type(text).send(body)
  })
  app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()))
  return app
}
