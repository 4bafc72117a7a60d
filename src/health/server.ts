import Fastify, { type FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import { logLevels } from '../log.ts'
import type { Readiness } from './readiness.ts'
import { withoutSchemas } from './without-schemas.ts'

export interface HealthOptions {
  readonly registry: Registry
  readonly readiness: Pick<Readiness, 'notReady' | 'impaired'>
  /** A log whose level can be read and changed. */
  readonly log: { level: string, warn: (fields: object, message: string) => void }
}

/** `kubectl port-forward` connects from these addresses, and needs a permission. All other clients on the port are unauthenticated. */
const loopback = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1'])

/**
 * Plain HTTP for probes and Prometheus. `/livez` reports that the process runs, and depends on nothing else: an unreachable API server must
 * not restart all replicas. `/log-level` returns the log level, and `PUT /log-level/debug` changes it until the process ends.
 */
export function buildHealthServer ({ registry, readiness, log }: HealthOptions): FastifyInstance {
  const app = Fastify({ logger: false, return503OnClosing: false, schemaController: withoutSchemas })
  const text = 'text/plain; charset=utf-8'
  const list = (title: string, causes: readonly { readonly message: string }[]) =>
    causes.length === 0 ? '' : `${title}:\n${causes.map(({ message }) => `- ${message}\n`).join('')}`
  const ready = () => {
    const obstacles = readiness.notReady()
    const impaired = list('impaired', readiness.impaired())
    return obstacles.length === 0 ? { code: 200, body: `ok\n${impaired}` } : { code: 503, body: `${list('not ready', obstacles)}${impaired}` }
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
