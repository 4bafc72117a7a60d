import type { Server } from 'node:https'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { webhookService } from '../manifests/webhooks.ts'
import type { Metrics } from '../metrics.ts'
import { developmentNames, ensureDevelopmentPair } from '../tls/development-pair.ts'
import { FileSource } from '../tls/file-source.ts'
import { serveWith } from '../tls/serve-with.ts'
import { StartUpError } from './fault.ts'

export interface Certificates {
  readonly pair: () => { cert: Buffer, key: Buffer }
  /** Serves whatever the pair becomes; connections that are open stay open. */
  readonly attach: (server: Server) => void
  readonly notReady: () => readonly string[]
  /** By which clients know the server. */
  readonly name: () => string
  readonly ca: () => Buffer
  readonly caFile: () => string
  readonly stop: () => Promise<void>
}

const developmentFolder = 'certs'

/** @throws {StartUpError} when there is no usable pair */
export async function certificates (options: { tlsDir?: string, embedded?: string }, log: Logger, metrics: Metrics): Promise<Certificates> {
  const { tlsDir, embedded } = options
  if (tlsDir === undefined && embedded === undefined) throw new StartUpError('--tls-dir: give the folder with tls.crt and tls.key')
  const directory = tlsDir ?? developmentFolder
  if (tlsDir === undefined) {
    await ensureDevelopmentPair(directory, developmentNames(webhookService))
      .catch((error: unknown) => { throw new StartUpError(`${developmentFolder}: cannot make a development certificate: ${(error as Error).message}`) })
  }
  const source = new FileSource({
    directory,
    log,
    onRead: () => metrics.certificateReads.inc(),
    onRefused: () => metrics.certificateErrors.inc(),
    onLoaded: ({ notAfter }) => metrics.certificateExpiry.set(notAfter.getTime() / 1000),
  })
  await source.start().catch((error: unknown) => { throw new StartUpError(`--tls-dir ${directory}: ${(error as Error).message}`) })
  return {
    pair: () => ({ cert: source.pair.certificate, key: source.pair.key }),
    attach: server => { serveWith(server, source) },
    notReady: () => [source.notReady()].filter(reason => reason !== undefined),
    name: () => source.pair.names.includes('localhost') ? 'localhost' : source.pair.names[0] ?? 'localhost',
    ca: () => source.pair.ca ?? source.pair.certificate,
    caFile: () => join(directory, source.pair.ca ? 'ca.crt' : 'tls.crt'),
    stop: async () => source.stop(),
  }
}
