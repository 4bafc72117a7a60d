import { createHash } from 'node:crypto'
import { watch, type FSWatcher } from 'node:fs'
import type { BaseLogger } from 'pino'
import type { CertificateObserver, CertificateSource } from './certificate-source.ts'
import { checkKeyPair, outOfTime, type KeyPair, type PemFiles } from './key-pair.ts'
import { readSnapshot } from './snapshot.ts'

export interface FileSourceOptions extends CertificateObserver {
  /** With tls.crt, tls.key and perhaps ca.crt: the layout of a cert-manager Secret, mounted. */
  readonly directory: string
  readonly log: Pick<BaseLogger, 'info' | 'warn' | 'error'>
  /** Start even if there is no good pair yet, and take the first one that comes. */
  readonly waitForFiles?: boolean
  /** Milliseconds. File systems do not tell of every change, above all not of one behind a link, so it is looked for as well. */
  readonly pollInterval?: number
  /** Milliseconds from the first sign of a change to the look at it. Writers change the files one after the other. */
  readonly settleTime?: number
  readonly now?: () => Date
}

/**
 * The key pair of a folder, read again whenever its content changes. A pair that is wrong or half written is refused, and
 * the last good one stays in use.
 */
export class FileSource implements CertificateSource {
  readonly #options: FileSourceOptions
  readonly #listeners = new Set<(pair: KeyPair) => void>()
  #pair: KeyPair | undefined
  /** Of the content that `#pair` was made of. */
  #digest = ''
  /** What was told last about a fault that lasts, so that it is not told again at every poll. */
  #refused: { readonly told: string, readonly error: Error } | undefined
  #expiryTold: KeyPair | undefined
  #watchFault = ''
  #watcher: FSWatcher | undefined
  #settling: NodeJS.Timeout | undefined
  #poll: NodeJS.Timeout | undefined
  #look: Promise<void> = Promise.resolve()
  #nextLook: Promise<void> | undefined
  #state: 'new' | 'started' | 'stopped' = 'new'

  constructor (options: FileSourceOptions) {
    this.#options = options
  }

  current (): KeyPair | undefined { return this.#pair }

  /** As `current`, for those who have awaited `start`. @throws when there is no pair yet */
  get pair (): KeyPair {
    if (!this.#pair) throw new Error('there is no serving certificate yet')
    return this.#pair
  }

  onChange (listener: (pair: KeyPair) => void): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  notReady (now = this.#now()): string | undefined {
    if (!this.#pair) return 'there is no serving certificate yet'
    const untimely = outOfTime(this.#pair, now)
    return untimely === undefined ? undefined : `the serving certificate ${untimely}`
  }

  /** @throws {KeyPairError} when the first pair cannot be used, unless `waitForFiles` */
  async start (): Promise<void> {
    const { waitForFiles = false, pollInterval = 10_000 } = this.#options
    await this.reload()
    if (!this.#pair && !waitForFiles) throw this.#refused?.error ?? new Error('stopped before there was a serving certificate')
    if (this.#state === 'stopped') return
    this.#state = 'started'
    if (this.#refused) this.#logRefusal(this.#refused.error)
    this.#watch()
    this.#poll = setInterval(() => {
      this.#watch()
      void this.reload()
    }, pollInterval).unref()
    // What changed between the first look and the watch.
    this.#changed()
  }

  async stop (): Promise<void> {
    this.#state = 'stopped'
    clearTimeout(this.#settling)
    clearInterval(this.#poll)
    this.#watcher?.close()
    await (this.#nextLook ?? this.#look)
  }

  /** Looks at the files. Resolves when what they hold is in use, or is refused. One look at a time; one more may wait. */
  async reload (): Promise<void> {
    this.#nextLook ??= this.#look.then(async () => {
      this.#nextLook = undefined
      await this.#lookNow()
    })
    this.#look = this.#nextLook
    await this.#look
  }

  async #lookNow (): Promise<void> {
    if (this.#state === 'stopped') return
    const { directory, log, onRead } = this.#options
    onRead?.()
    let digest = ''
    try {
      const files = await readSnapshot(directory)
      if (this.#isStopped()) return
      digest = digestOf(files)
      if (digest !== this.#digest) this.#use(checkKeyPair(files, this.#now()), digest)
      else if (this.#refused) log.info({ directory }, 'serving certificate can be read again')
      this.#refused = undefined
    } catch (error) {
      if (!this.#isStopped()) this.#refuse(digest, error as Error)
    }
    this.#tellExpiry()
  }

  #use (pair: KeyPair, digest: string): void {
    const { directory, log, onLoaded } = this.#options
    this.#pair = pair
    this.#digest = digest
    const { serial, fingerprint256, names, notAfter } = pair
    log.info({ directory, serial, fingerprint256, names, notAfter }, 'serving certificate loaded')
    for (const cause of pair.warnings) log.warn({ directory, cause }, 'serving certificate is doubtful')
    onLoaded?.(pair)
    for (const listener of this.#listeners) {
      try {
        listener(pair)
      } catch (error) {
        log.error({ err: error, directory }, 'serving certificate could not be put to use')
      }
    }
  }

  #refuse (digest: string, error: Error): void {
    this.#options.onRefused?.()
    const told = `${digest} ${error.message}`
    if (told === this.#refused?.told) return
    this.#refused = { told, error }
    // The first look's refusal is for `start` to tell.
    if (this.#state === 'started') this.#logRefusal(error)
  }

  #logRefusal ({ message }: Error): void {
    const { directory, log } = this.#options
    if (this.#pair) log.error({ directory, cause: message, notAfter: this.#pair.notAfter }, 'serving certificate refused; the last good one stays in use')
    else log.error({ directory, cause: message }, 'serving certificate refused; there is none to serve yet')
  }

  #tellExpiry (): void {
    const pair = this.#pair
    if (!pair || pair === this.#expiryTold || this.#now() < pair.notAfter) return
    this.#expiryTold = pair
    const { directory, log } = this.#options
    log.error({ directory, notAfter: pair.notAfter, serial: pair.serial }, 'serving certificate has expired')
  }

  /** Best effort: without it, polling finds the changes. */
  #watch (): void {
    if (this.#watcher) return
    try {
      this.#watcher = watch(this.#options.directory, { persistent: false }, () => { this.#changed() })
      this.#watcher.on('error', error => {
        this.#watcher?.close()
        this.#watcher = undefined
        this.#tellWatchFault(error)
      })
    } catch (error) {
      this.#tellWatchFault(error as Error)
    }
  }

  #tellWatchFault ({ message }: Error): void {
    if (message === this.#watchFault) return
    this.#watchFault = message
    const { directory, log } = this.#options
    log.warn({ directory, cause: message }, 'cannot watch the certificate folder; it is polled')
  }

  /** Not put off by further signs: a folder that changes all the time is looked at all the same. */
  #changed (): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined
      void this.reload()
    }, this.#options.settleTime ?? 50).unref()
  }

  /** A method, as the compiler would hold what was read before an await to be still so. */
  #isStopped (): boolean { return this.#state === 'stopped' }

  #now (): Date { return this.#options.now?.() ?? new Date() }
}

function digestOf ({ certificate, key, ca }: PemFiles): string {
  const hash = createHash('sha256')
  for (const file of [certificate, key, ca ?? Buffer.alloc(0)]) hash.update(`${file.length}:`).update(file)
  return hash.digest('hex')
}
