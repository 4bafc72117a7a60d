import { createHash } from 'node:crypto'
import { watch, type FSWatcher } from 'node:fs'
import { readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { BaseLogger } from 'pino'
import { checkKeyPair, type KeyPair, type PemFiles } from './key-pair.ts'

export interface FileSourceOptions {
  /** With tls.crt, tls.key and perhaps ca.crt: the layout of a cert-manager Secret, mounted. */
  readonly directory: string
  readonly log: Pick<BaseLogger, 'info' | 'error'>
  readonly onRead?: () => void
  readonly onRefused?: () => void
  readonly onLoaded?: (pair: KeyPair) => void
  /** Milliseconds. A file system may never tell of a change, so it is looked for as well. */
  readonly pollInterval?: number
  readonly now?: () => Date
}

/** Writers change two files one after the other; they are done by then. */
const settled = 50

/**
 * The key pair of a folder, read again whenever its content changes. A pair that is wrong or half written is refused, and
 * the one before it stays in use.
 */
export class FileSource {
  readonly #options: FileSourceOptions
  readonly #listeners = new Set<(pair: KeyPair) => void>()
  #pair: KeyPair | undefined
  #lastSeen = ''
  #watcher: FSWatcher | undefined
  #settling: NodeJS.Timeout | undefined
  #poll: NodeJS.Timeout | undefined
  #reading = Promise.resolve()

  constructor (options: FileSourceOptions) {
    this.#options = options
  }

  /** The pair in use. @throws before `start` */
  get pair (): KeyPair {
    if (!this.#pair) throw new Error('the certificate is read by start()')
    return this.#pair
  }

  onChange (listener: (pair: KeyPair) => void): void { this.#listeners.add(listener) }

  /** Why clients will not accept what is served, if so. */
  notReady (now = this.#now()): string | undefined {
    return this.#pair && this.#pair.notAfter > now ? undefined : 'the serving certificate has expired'
  }

  /** @throws {KeyPairError} when the first pair is wrong, and the error of the file system when it cannot be read */
  async start (): Promise<void> {
    const files = await readSnapshot(this.#options.directory)
    this.#lastSeen = digest(files)
    this.#use(checkKeyPair(files, this.#now()))
    const { directory, pollInterval = 10_000, log } = this.#options
    this.#watcher = watch(directory, () => {
      clearTimeout(this.#settling)
      this.#settling = setTimeout(() => void this.reload(), settled)
    })
    // Polling goes on; the folder itself may have been replaced.
    this.#watcher.on('error', error => log.error({ err: error, directory }, 'cannot watch the certificate folder any more'))
    this.#poll = setInterval(() => void this.reload(), pollInterval)
  }

  stop (): void {
    clearTimeout(this.#settling)
    clearInterval(this.#poll)
    this.#watcher?.close()
  }

  /** Looks at the files now. Resolves when what they hold is in use, or is refused. */
  async reload (): Promise<void> {
    this.#reading = this.#reading.then(async () => await this.#reload())
    await this.#reading
  }

  async #reload (): Promise<void> {
    const { directory, log } = this.#options
    let files: PemFiles
    try {
      files = await readSnapshot(directory)
    } catch (error) {
      // The same fault is told once, not at every poll.
      this.#refuse(`unreadable: ${(error as NodeJS.ErrnoException).code ?? ''}`, error as Error)
      return
    }
    const seen = digest(files)
    if (seen === this.#lastSeen) return
    try {
      const pair = checkKeyPair(files, this.#now())
      this.#lastSeen = seen
      this.#use(pair)
      log.info({ directory, notAfter: pair.notAfter, names: pair.names, fingerprint: pair.fingerprint }, 'serving certificate replaced')
    } catch (error) {
      this.#refuse(seen, error as Error)
    }
  }

  #refuse (seen: string, error: Error): void {
    if (seen === this.#lastSeen) return
    this.#lastSeen = seen
    this.#options.onRead?.()
    this.#options.onRefused?.()
    this.#options.log.error({ directory: this.#options.directory, cause: error.message }, 'serving certificate refused; the one before stays in use')
  }

  #use (pair: KeyPair): void {
    this.#pair = pair
    this.#options.onRead?.()
    this.#options.onLoaded?.(pair)
    for (const listener of this.#listeners) listener(pair)
  }

  #now (): Date { return this.#options.now?.() ?? new Date() }
}

/**
 * The files as they stood at one moment. The kubelet swaps a whole folder by renaming the link `..data`; following the link
 * once and reading from where it led makes the pair one of a kind.
 */
async function readSnapshot (directory: string): Promise<PemFiles> {
  const folder = await realpath(join(directory, '..data')).catch(() => directory)
  const read = async (name: string) => await readFile(join(folder, name))
  const [certificate, key, ca] = await Promise.all([
    read('tls.crt'),
    read('tls.key'),
    read('ca.crt').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    }),
  ])
  return { certificate, key, ca }
}

function digest ({ certificate, key, ca }: PemFiles): string {
  const hash = createHash('sha256')
  for (const file of [certificate, key, ca ?? Buffer.alloc(0)]) hash.update(`${file.length}:`).update(file)
  return hash.digest('hex')
}
