import Fastify, { type FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import { logLevels } from '../log.ts'

export interface HealthOptions {
  readonly registry: Registry
  /** Why the process should not get requests now; empty when it should. */
  readonly notReady: () => readonly string[]
  /** Its level can be read and changed. */
  readonly log: { level: string, warn: (fields: object, message: string) => void }
}

/**
 * `kubectl port-forward` comes from these, and needs a permission for that. Whatever else reaches the port has shown
 * nobody who it is.
 */
const loopback = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1'])

/**
 * Plain HTTP for probes and Prometheus. `/livez` says that the process runs and depends on nothing else: an API server that
 * is away must not get every replica restarted. `/log-level` tells how much is logged, and `PUT /log-level/debug` changes it
 * until the process ends.
 */
export function buildHealthServer ({ registry, notReady, log }: HealthOptions): FastifyInstance {
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
  app.get('/log-level', async (_request, reply) => reply.type(text).send(`${log.level}\n`))
  app.put<{ Params: { level: string } }>('/log-level/:level', async ({ params: { level }, ip }, reply) => {
    reply.type(text)
    if (!loopback.has(ip)) return reply.code(403).send('only from the pod itself: use kubectl port-forward\n')
    if (!logLevels.some(known => known === level)) return reply.code(400).send(`'${level.slice(0, 40)}' is not a level; known: ${logLevels.join(', ')}\n`)
    const before = log.level
    log.level = level
    log.warn({ before, level }, 'log level changed')
    return reply.send(`${level}\n`)
  })
  return app
}
