import type { Server } from 'node:https'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { ApiClient } from '../cluster/api-client.ts'
import type { PartReadiness } from '../health/readiness.ts'
import { webhookService } from '../manifests/webhooks.ts'
import type { Metrics } from '../metrics.ts'
import type { CertificateSource } from '../tls/certificate-source.ts'
import type { ClientCa } from '../tls/client-ca.ts'
import { developmentNames, ensureDevelopmentPair } from '../tls/development-pair.ts'
import { FileSource } from '../tls/file-source.ts'
import { serveWith } from '../tls/serve-with.ts'
import type { CertificateMode } from './certificate-mode.ts'
import { StartUpError } from './fault.ts'
import { selfCertificates, type SelfCertificateOptions } from './self-certificates.ts'

export interface Certificates extends Required<PartReadiness> {
  /** Undefined: there is no certificate yet, and TLS handshakes fail. */
  readonly pair: () => { cert: Buffer, key: Buffer } | undefined
  /** Serves the current pair, also after it changes; open connections stay open. */
  readonly attach: (server: Server, clientCa?: ClientCa) => void
  /** The name by which clients know the server. */
  readonly name: () => string
  readonly ca: () => Buffer
  readonly caFile: () => string
  readonly stop: () => Promise<void>
}

export interface CertificateOptions extends SelfCertificateOptions {
  readonly certMode?: CertificateMode
  readonly tlsDir?: string
  readonly embedded?: string
}

export interface CertificateContext {
  readonly log: Logger
  readonly metrics: Metrics
  /** For the API server of a live cluster. */
  readonly client?: ApiClient | undefined
}

const developmentFolder = 'certs'

/** @throws {StartUpError} if there is no usable pair, and none will be created */
export async function certificates (options: CertificateOptions, context: CertificateContext): Promise<Certificates> {
  const { tlsDir, embedded, certMode = tlsDir === undefined && embedded === undefined ? 'self' : 'files' } = options
  if (certMode === 'files') return await fromFiles(await certificateFolder(options), context)
  const { client, log, metrics } = context
  if (!client) throw new StartUpError('--cert-mode self: keeps the certificate in a Secret, so it needs a cluster')
  if (tlsDir !== undefined) throw new StartUpError('--cert-mode self: cannot be combined with --tls-dir')
  const { source, start, stop } = selfCertificates(options, client, log, metrics)
  await start()
  return { ...presenting(source, ''), stop }
}

async function certificateFolder ({ tlsDir, embedded }: CertificateOptions): Promise<string> {
  if (tlsDir !== undefined) return tlsDir
  if (embedded === undefined) throw new StartUpError('--tls-dir: give the folder with tls.crt and tls.key')
  await ensureDevelopmentPair(developmentFolder, developmentNames(webhookService))
    .catch((error: unknown) => { throw new StartUpError(`${developmentFolder}: cannot make a development certificate: ${(error as Error).message}`) })
  return developmentFolder
}

async function fromFiles (directory: string, { log, metrics }: CertificateContext): Promise<Certificates> {
  const source = new FileSource({
    directory,
    log,
    onRead: () => metrics.certificateReads.inc(),
    onRefused: () => metrics.certificateErrors.inc(),
    onLoaded: ({ notAfter }) => metrics.certificateExpiry.set(notAfter.getTime() / 1000),
  })
  await source.start().catch((error: unknown) => { throw new StartUpError(`--tls-dir ${directory}: ${(error as Error).message}`) })
  return { ...presenting(source, directory), stop: async () => await source.stop() }
}

function presenting (source: CertificateSource, directory: string): Omit<Certificates, 'stop'> {
  return {
    pair: () => {
      const pair = source.current()
      return pair && { cert: pair.certificate, key: pair.key }
    },
    attach: (server, clientCa) => { serveWith(server, source, clientCa) },
    notReady: () => [source.notReady()].filter(cause => cause !== undefined),
    impaired: () => [source.impaired()].filter(cause => cause !== undefined),
    name: () => {
      const { names = [] } = source.current() ?? {}
      return names.includes('localhost') ? 'localhost' : names[0] ?? 'localhost'
    },
    ca: () => source.current()?.ca ?? source.current()?.certificate ?? Buffer.alloc(0),
    caFile: () => join(directory, source.current()?.ca ? 'ca.crt' : 'tls.crt'),
  }
}
