import { isIPv6 } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { AdmissionOptions } from '../admission/routes.ts'
import { buildServer } from '../admission/server.ts'
import { Readiness, type Cause, type PartReadiness } from '../health/readiness.ts'
import { buildHealthServer } from '../health/server.ts'
import type { SecretAccess } from '../controller/secret-access.ts'
import { createLogger, flushed, type LogFormat } from '../log.ts'
import { prepareValidation } from '../dittoserver/dittoserver.ts'
import { createMetrics, type Metrics } from '../metrics.ts'
import { defaultUiPort } from '../playground/default-port.ts'
import type { Playground } from '../playground/start.ts'
import { parsePolicy, type Policy } from '../rules/policy.ts'
import { ClientCa } from '../tls/client-ca.ts'
import { version } from '../version.ts'
import { liveBackend, type Backend } from './backend.ts'
import { StartUpError } from './fault.ts'
import { certificates, type CertificateOptions, type Certificates } from './certificates.ts'
import type { EmbeddedObjects } from './embedded-objects.ts'
import { listen, portOf, whyNot } from './listen.ts'
import { startController, type ReconcileContext } from './reconcile.ts'

export interface ServeOptions extends CertificateOptions {
  readonly kubeconfig?: string
  readonly context?: string
  readonly out?: string
  readonly host?: string
  readonly port: number
  readonly healthPort: number
  readonly uiPort?: number
  readonly rule?: readonly string[]
  readonly maxInFlight: number
  readonly maxConnections: number
  readonly clientCa?: string
  readonly drainPeriod?: number
  readonly webhook: boolean
  readonly controller: boolean
  readonly concurrency: number
  readonly watchNamespace?: string
  readonly secretAccess: SecretAccess
  readonly leaderElect: boolean
  readonly leaderElectionNamespace?: string
  readonly leaderElectionId: string
  readonly logLevel: string
  readonly logFormat: LogFormat
}

/** A part of the program: what prevents it from working, and how it is stopped. */
interface Part extends PartReadiness {
  /** Keeps working, but asks its clients to use other replicas. */
  readonly drain?: () => void
  readonly stop: () => Promise<void>
}

/** Serves until it receives a stop signal. @throws {StartUpError} if it cannot start */
export async function serve (options: ServeOptions): Promise<void> {
  const log = await createLogger(options.logLevel, options.logFormat)
  try {
    await serveUntilStopped(options, log)
  } finally {
    // The error message is written to standard error after this, and must be the last line there.
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
    : await (await import('./embedded-backend.ts')).embeddedBackend(options.embedded, log)
  const parts: Part[] = []
  const readiness = new Readiness({ log })
  metrics.readiness(readiness)
  /** Parts are stopped in reverse order. */
  const add = <Added extends Part>(part: Added) => {
    parts.unshift(part)
    readiness.add(part)
    return part
  }
  let draining = false
  readiness.add({ notReady: () => draining ? [{ reason: 'Draining', message: 'draining' }] : [] })
  add({ impaired: () => staleness('StorageClassesStale', [backend.cluster.stale()]), stop: backend.stop })
  const health = buildHealthServer({ registry: metrics.registry, readiness, log })
  try {
    const ui = await playgroundOf(options, { log, policy, backend })
    const page = async (objects?: EmbeddedObjects) => ui && add(await ui.start(objects))
    const context = { log, metrics, backend, policy, host, onReview: ui?.onReview }
    const webhook = options.webhook ? await startWebhook(options, context) : undefined
    if (webhook) add(webhook)
    await listen(health, { host, port: options.healthPort }, '--health-port')
    const healthPort = portOf(health)
    log.info({ host, port: webhook?.port, healthPort }, 'serving')
    readiness.start()
    const known = backend.start(stopped.signal).then(() => log.info('the cluster is known'))
    if (options.embedded !== undefined) {
      await known
      await serveEmbedded(options, { log, policy, backend, host, healthPort, webhook, page })
    }
    const controller = liveObjects(options, { log, metrics, policy, backend, known })
    if (controller) add(loopPart(controller, webhook !== undefined))
    if (options.embedded === undefined) await page()
    // Whichever comes first: a signal, the loss of leadership, or an error that only the cluster shows, such as a missing CRD.
    await Promise.race([stopped.promise, known.then(() => stopped.promise), ...controller ? [controller.lost] : []])
  } finally {
    drain(parts, { asked: stopped.signal.aborted, ready: readiness.notReady().length === 0 })
    draining = true
    readiness.tell()
    log.info({ signal: stopped.name() }, 'stopping')
    for (const part of parts) await part.stop()
    readiness.stop()
    await health.close()
    log.info('stopped')
  }
}

const staleness = <Reason extends string>(reason: Reason, messages: readonly (string | undefined)[]): Cause<Reason>[] =>
  messages.flatMap(message => message === undefined ? [] : { reason, message })

/** Reviews do not depend on the watches of the loop. Without a webhook, the process is ready when it follows the cluster. */
function loopPart ({ stale, stop }: ReturnType<typeof startController>, answersReviews: boolean): Part {
  const causes = () => staleness('WatchStale', stale())
  return { stop, ...answersReviews ? { impaired: causes } : { notReady: causes } }
}

/** A process that could not start has no clients that need time to use other replicas. */
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
  readonly onReview?: AdmissionOptions['onReview']
}

interface LiveContext extends Pick<ReconcileContext, 'log' | 'metrics' | 'policy' | 'known'> {
  readonly backend: Backend
}

/** The reconcile loop, if there is a live cluster and the loop is enabled. */
function liveObjects (options: ServeOptions, { backend, ...context }: LiveContext): ReturnType<typeof startController> | undefined {
  const { client, cluster, namedSecrets } = backend
  if (!options.controller || !client) return undefined
  const storageClass: ReconcileContext['storageClass'] = async (name, signal) => await cluster.storageClass(name, signal)
  const controller = startController(options, { ...context, client, storageClass })
  namedSecrets?.(controller.namesSecret)
  return controller
}

interface EmbeddedContext extends Pick<WebhookContext, 'log' | 'policy' | 'backend' | 'host'> {
  readonly healthPort: number
  readonly webhook: Awaited<ReturnType<typeof startWebhook>> | undefined
  /** Serves the playground. */
  readonly page: (objects: EmbeddedObjects | undefined) => Promise<Playground | undefined>
}

/** What the folder of manifests gives, at the start and after each change. */
async function serveEmbedded (options: ServeOptions, { host, healthPort, webhook, page, ...context }: EmbeddedContext): Promise<void> {
  const { backend, log } = context
  const objects = options.controller ? await embeddedObjects(options, context) : undefined
  const ui = await page(objects)
  const addresses = { host, port: webhook?.port ?? 0, healthPort, uiPort: ui?.port }
  const show = webhook && await showTour({ backend, objects, log }, addresses, webhook.certificate)
  backend.onChange(() => void Promise.resolve(objects?.update()).then(show))
}

async function embeddedObjects ({ out }: ServeOptions, { log, backend, policy }: Pick<WebhookContext, 'log' | 'backend' | 'policy'>) {
  const { EmbeddedObjects } = await import('./embedded-objects.ts')
  const objects = new EmbeddedObjects(backend, policy, log, out)
  try {
    await objects.render()
  } catch (error) {
    // A server that cannot be rendered does not cause this error: the error concerns the folder.
    throw new StartUpError(`--out ${out ?? ''}: ${(error as Error).message}`)
  }
  return objects
}

/** The playground, if there is one; off in a cluster unless asked for. Loaded only then. */
async function playgroundOf ({ uiPort, embedded, watchNamespace }: ServeOptions, context: Pick<WebhookContext, 'log' | 'policy' | 'backend'>) {
  if (uiPort === undefined && embedded === undefined) return undefined
  const { playground } = await import('./playground.ts')
  const { onReview, start } = playground({ ...context, watchNamespace })
  const port = uiPort ?? defaultUiPort
  return {
    onReview,
    start: async (objects?: EmbeddedObjects): Promise<Playground> => await start(port, uiPort === undefined, objects)
      .catch((error: unknown) => { throw new StartUpError(whyNot(error as NodeJS.ErrnoException, { host: '127.0.0.1', port }, '--ui-port')) }),
  }
}

async function startWebhook (options: ServeOptions, { log, metrics, backend, policy, host, onReview }: WebhookContext) {
  const certificate = await certificates(options, { log, metrics, client: backend.client })
  const { maxInFlight, maxConnections } = options
  const { cluster } = backend
  const drain = drainOf(options)
  const { draining } = drain
  const clientCa = await clientCaOf(options, log)
  const pair = certificate.pair()
  const tls = pair && { ...pair, ...clientCa ? { ca: clientCa.current() } : {} }
  const server = buildServer({
    logger: log, tls, verifyClients: clientCa !== undefined, cluster, policy, metrics, onReview, maxInFlight, maxConnections, draining,
  })
  certificate.attach(server.server, clientCa)
  const port = await listen(server, { host, port: options.port }, '--port')
  // After the start, which it would prolong, and most likely before the first review.
  setImmediate(prepareValidation)
  return {
    port,
    certificate,
    notReady: certificate.notReady,
    impaired: certificate.impaired,
    drain: drain.begin,
    stop: async () => {
      await drain.ended()
      await server.close()
      await certificate.stop()
      clientCa?.stop()
    },
  }
}

async function clientCaOf ({ clientCa: file }: ServeOptions, log: Logger): Promise<ClientCa | undefined> {
  if (file === undefined) return undefined
  const clientCa = new ClientCa({ file, log })
  await clientCa.start().catch((error: unknown) => { throw new StartUpError(`--client-ca ${file}: ${(error as Error).message}`) })
  return clientCa
}

/**
 * The API server keeps sending reviews until it knows that this replica is not ready, and over open connections as long as they stay open.
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

/** The first signal requests a stop; a second one ends the process immediately. */
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

interface Addresses { readonly host: string, readonly port: number, readonly healthPort: number, readonly uiPort: number | undefined }

/** The output when the embedded mode starts: the verdicts on all objects in the folder, and how to send a review. */
async function showTour (
  { backend, objects, log }: { backend: Backend, objects: EmbeddedObjects | undefined, log: Logger },
  { host, port, healthPort, uiPort }: Addresses,
  certificate: Certificates,
): Promise<() => void> {
  const { curlCommand, tour } = await import('./tour.ts')
  const write = (text: string) => process.stdout.write(text)
  const address = ['::', '0.0.0.0'].includes(host) ? '127.0.0.1' : host
  const endpoint = { address, name: certificate.name(), port, ca: certificate.ca() }
  write(`\ndittofs-operator ${version} answers on https://${endpoint.name}:${port}/mutate and /validate\n` +
    `health and metrics on http://${isIPv6(address) ? `[${address}]` : address}:${healthPort}/readyz and /metrics\n` +
    (uiPort === undefined ? '' : `playground on http://localhost:${uiPort}\n`))
  // One after the other, even if the files change faster than the verdicts are written.
  let shown = Promise.resolve()
  const show = () => {
    shown = shown.then(async () => await tour(backend.manifests(), { ...endpoint, ca: certificate.ca() }, objects?.renderings ?? [], write))
      .catch((error: unknown) => log.warn({ cause: (error as Error).message }, 'cannot show the verdicts for the folder'))
  }
  show()
  await shown
  write(`\nSend your own:\n\n${curlCommand(endpoint, certificate.caFile())}\n\nEdit the manifests and watch the verdicts change. Ctrl-C stops.\n`)
  return show
}
