import { X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import type { BaseLogger } from 'pino'
import { certificateBlocks } from './key-pair.ts'

export interface ClientCaOptions {
  /** PEM file with one or more certificates. */
  readonly file: string
  readonly log: Pick<BaseLogger, 'info' | 'error'>
  /** Milliseconds between two checks of the file. The kubelet takes up to a minute to update a mounted file. */
  readonly pollInterval?: number
}

/** The maximum size of a ConfigMap. */
const sizeLimit = 1024 * 1024

/**
 * The CA that must have signed client certificates. The file is read again when it changes. An invalid file is refused, and the last valid
 * CA stays in use.
 */
export class ClientCa {
  readonly #options: ClientCaOptions
  readonly #listeners = new Set<() => void>()
  #certificates: readonly X509Certificate[] | undefined
  #refused = ''
  #poll: NodeJS.Timeout | undefined

  constructor (options: ClientCaOptions) {
    this.#options = options
  }

  /** Each certificate as PEM. @throws before `start` has resolved */
  current (): string[] {
    if (!this.#certificates) throw new Error('the client CA was not read yet')
    return this.#certificates.map(String)
  }

  onChange (listener: () => void): void { this.#listeners.add(listener) }

  /** @throws {Error} if the file cannot be used; the message is one clause */
  async start (): Promise<void> {
    this.#use(await readCaCertificates(this.#options.file))
    this.#poll = setInterval(() => void this.reload(), this.#options.pollInterval ?? 10_000).unref()
  }

  stop (): void { clearInterval(this.#poll) }

  /** Never rejects. */
  async reload (): Promise<void> {
    const { file, log } = this.#options
    try {
      const certificates = await readCaCertificates(file)
      this.#refused = ''
      if (certificates.join() !== this.#certificates?.join()) this.#use(certificates)
    } catch (error) {
      const { message } = error as Error
      if (message !== this.#refused) log.error({ file, cause: message }, 'client CA refused; the last good one stays in use')
      this.#refused = message
    }
  }

  #use (certificates: readonly X509Certificate[]): void {
    this.#certificates = certificates
    const { file, log } = this.#options
    log.info({ file, subjects: certificates.map(({ subject }) => subject) }, 'client CA loaded')
    for (const listener of this.#listeners) listener()
  }
}

async function readCaCertificates (file: string): Promise<X509Certificate[]> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw new Error(error.code === 'ENOENT' ? 'does not exist' : `cannot be read: ${error.code ?? error.message}`)
  })
  if (!found.isFile()) throw new Error('is not a file')
  if (found.size > sizeLimit) throw new Error(`is larger than ${sizeLimit} bytes`)
  const certificates = certificatesIn(await readFile(file, 'latin1'))
  if (certificates.length === 0) throw new Error('has no certificate')
  if (!certificates.some(({ ca }) => ca)) throw new Error('has no certificate that may sign others')
  return certificates
}

/** @throws {Error} if a certificate cannot be parsed */
function certificatesIn (pem: string): X509Certificate[] {
  return certificateBlocks(pem).map(block => {
    try {
      return new X509Certificate(block)
    } catch {
      throw new Error('has a certificate that cannot be parsed')
    }
  })
}
