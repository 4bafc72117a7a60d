import type { Server } from 'node:https'
import { isIPv6, type AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { buildServer } from '../admission/server.ts'
import { buildHealthServer } from '../health/server.ts'
import { createLogger, flushed, type LogFormat } from '../log.ts'
import { createMetrics, type Metrics } from '../metrics.ts'
import { parsePolicy, type Policy } from '../rules/policy.ts'
import { version } from '../version.ts'
import { embeddedBackend, liveBackend, type Backend } from './backend.ts'
import { StartUpError } from './fault.ts'
import { certificates, type CertificateOptions, type Certificates } from './certificates.ts'
import { EmbeddedObjects } from './embedded-objects.ts'
import { startController } from './reconcile.ts'
import { curlCommand, tour } from './tour.ts'

export interface ServeOptions extends CertificateOptions {
  readonly kubeconfig?: string
  readonly context?: string
  readonly out?: string
  readonly host?: string
  readonly port: number
  readonly healthPort: number
  readonly rule?: readonly string[]
  readonly maxInFlight: number
  readonly drainPeriod?: number
  readonly webhook: boolean
  readonly controller: boolean
  readonly concurrency: number
  readonly watchNamespace?: string
  readonly leaderElect: boolean
  readonly leaderElectionNamespace?: string
  readonly leaderElectionId: string
  readonly logLevel: string
  readonly logFormat: LogFormat
}

/** A half of the program: what it still lacks to do its work, and how it ends. */
interface Part {
  readonly notReady: () => readonly string[]
  /** Keeps working, but asks its clients to go elsewhere. */
  readonly drain?: () => void
  readonly stop: () => Promise<void>
}

/** Serves until a signal asks it to stop. @throws {StartUpError} when it cannot start */
export async function serve (options: ServeOptions): Promise<void> {
  const log = await createLogger(options.logLevel, options.logFormat)
  try {
    await serveUntilStopped(options, log)
  } finally {
    // What went wrong is told on standard error after this, and is to be the last line there.
    await flushed(log)
  }
}

async function serveUntilStopped (options: ServeOptions, log: Logger): Promise<void> {
  const metrics = createMetrics()
  const stopped = stopSignal()
  const host = options.host ?? (options.embedded === undefined ? '::' : '127.0.0.1')
  const policy = parsePolicy(options.rule ?? [])
  log.info({ version, node: process.version }, 'starting')

  const backend = options.embedded === undefined
    ? await liveBackend(options, log, metrics)
    : await embeddedBackend(options.embedded, log)
  const parts: Part[] = [{ notReady: () => [backend.cluster.notReady()].filter(reason => reason !== undefined), stop: backend.stop }]
  let draining = false
  const notReady = () => [...(draining ? ['draining'] : []), ...parts.flatMap(part => part.notReady())]
  const health = buildHealthServer({ registry: metrics.registry, notReady, log })
  try {
    const webhook = options.webhook ? await startWebhook(options, { log, metrics, backend, policy, host }) : undefined
    if (webhook) parts.unshift(webhook)
    await listen(health, { host, port: options.healthPort }, '--health-port')
    const healthPort = portOf(health)
    log.info({ host, port: webhook?.port, healthPort }, 'serving')
    const known = backend.start(stopped.signal).then(() => log.info('the cluster is known'))
    if (options.embedded !== undefined) {
      await known
      const objects = options.controller ? await embeddedObjects(options, { log, backend, policy }) : undefined
      const show = webhook && await showTour({ backend, objects, log }, { host, port: webhook.port, healthPort }, webhook.certificate)
      backend.onChange(() => void Promise.resolve(objects?.update()).then(show))
    }
    const { client } = backend
    const controller = options.controller && client ? startController(options, { log, metrics, policy, client, known }) : undefined
    if (controller) parts.unshift(controller)
    // Whichever comes first: a signal, the loss of the lead, or a fault that only the cluster could tell, such as a missing CRD.
    await Promise.race([stopped.promise, known.then(() => stopped.promise), ...controller ? [controller.lost] : []])
  } finally {
    drain(parts, { asked: stopped.signal.aborted, ready: notReady().length === 0 })
    draining = true
    log.info({ signal: stopped.name() }, 'stopping')
    for (const part of parts) await part.stop()
    await health.close()
    log.info('stopped')
  }
}

/** What could not even start has no clients that would have to go elsewhere. */
function drain (parts: readonly Part[], { asked, ready }: { asked: boolean, ready: boolean }): void {
  if (!asked && !ready) return
  for (const part of parts) part.drain?.()
}

interface WebhookContext {
  readonly log: Logger
  readonly metrics: Metrics
  readonly backend: Backend
  readonly policy: Policy
  readonly host: string
}

async function embeddedObjects ({ out }: ServeOptions, { log, backend, policy }: Pick<WebhookContext, 'log' | 'backend' | 'policy'>) {
  const objects = new EmbeddedObjects(backend, policy, log, out)
  try {
    await objects.render()
  } catch (error) {
    throw new StartUpError(`--out ${out ?? ''}: ${(error as Error).message}`)
  }
  return objects
}

async function startWebhook (options: ServeOptions, { log, metrics, backend, policy, host }: WebhookContext) {
  const certificate = await certificates(options, { log, metrics, client: backend.client })
  const { maxInFlight } = options
  const { cluster } = backend
  const drain = drainOf(options)
  const { draining } = drain
  const server = buildServer({ logger: log, tls: certificate.pair(), cluster, policy, metrics, maxInFlight, draining })
  certificate.attach(server.server)
  const port = await listen(server, { host, port: options.port }, '--port')
  return {
    port,
    certificate,
    notReady: certificate.notReady,
    drain: drain.begin,
    stop: async () => {
      await drain.ended()
      await server.close()
      await certificate.stop()
    },
  }
}

/**
 * The API server goes on sending reviews until it has heard that this replica is not ready, and over connections that are
 * open for as long as they are.
 */
function drainOf ({ drainPeriod, embedded }: ServeOptions) {
  const seconds = drainPeriod ?? (embedded === undefined ? 15 : 0)
  let over: Promise<void> | undefined
  return {
    draining: () => over !== undefined,
    begin: () => { over ??= delay(seconds * 1000) },
    ended: async () => { await over },
  }
}

type Listener = FastifyInstance<Server> | FastifyInstance

async function listen (app: Listener, address: { host: string, port: number }, setting: string): Promise<number> {
  try {
    await app.listen(address)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === 'EADDRINUSE'
      ? `port ${address.port} is in use`
      : code === 'EACCES' ? `no permission to listen on port ${address.port}` : message
    throw new StartUpError(`${setting}: ${why}`)
  }
  return portOf(app)
}

const portOf = (app: { server: { address: () => AddressInfo | string | null } }): number => {
  const address = app.server.address()
  return typeof address === 'object' && address ? address.port : 0
}

/** The first signal asks to stop; a second one ends the process at once. */
function stopSignal () {
  const controller = new AbortController()
  let name = ''
  const promise = new Promise<void>(resolve => {
    const stop = (signal: NodeJS.Signals) => {
      if (controller.signal.aborted) process.exit(1)
      name = signal
      controller.abort()
      resolve()
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  })
  return { promise, signal: controller.signal, name: () => name }
}

interface Addresses { readonly host: string, readonly port: number, readonly healthPort: number }

/** What a person who has just started the embedded mode sees: every verdict on the objects of the folder, and how to send their own. */
async function showTour (
  { backend, objects, log }: { backend: Backend, objects: EmbeddedObjects | undefined, log: Logger },
  { host, port, healthPort }: Addresses,
  certificate: Certificates,
): Promise<() => void> {
  const write = (text: string) => process.stdout.write(text)
  const address = ['::', '0.0.0.0'].includes(host) ? '127.0.0.1' : host
  const endpoint = { address, name: certificate.name(), port, ca: certificate.ca() }
  write(`\ndittofs-operator ${version} answers on https://${endpoint.name}:${port}/mutate and /validate\n` +
    `health and metrics on http://${isIPv6(address) ? `[${address}]` : address}:${healthPort}/readyz and /metrics\n`)
  // One after the other, also when the files change faster than the verdicts come.
  let shown = Promise.resolve()
  const show = () => {
    shown = shown.then(async () => await tour(backend.manifests(), { ...endpoint, ca: certificate.ca() }, objects?.renderings ?? [], write))
      .catch((error: unknown) => log.warn({ cause: (error as Error).message }, 'cannot show the verdicts on the folder'))
  }
  show()
  await shown
  write(`\nSend your own:\n\n${curlCommand(endpoint, certificate.caFile())}\n\nEdit the manifests and watch the verdicts change. Ctrl-C stops.\n`)
  return show
}
