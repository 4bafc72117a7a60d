import { createHash } from 'node:crypto'
import { watch, type FSWatcher } from 'node:fs'
import type { BaseLogger } from 'pino'
import type { Obstacle } from '../health/readiness.ts'
import type { CertificateObserver, CertificateSource } from './certificate-source.ts'
import { checkKeyPair, outOfTime, type KeyPair, type PemFiles } from './key-pair.ts'
import { readSnapshot } from './snapshot.ts'

export interface FileSourceOptions extends CertificateObserver {
  /** Contains tls.crt, tls.key and optionally ca.crt, like a mounted Secret of cert-manager. */
  readonly directory: string
  readonly log: Pick<BaseLogger, 'info' | 'warn' | 'error'>
  /** Start even if there is no valid pair yet, and use the first one that appears. */
  readonly waitForFiles?: boolean
  /** Milliseconds. File systems do not report every change, in particular not one behind a symbolic link, so the folder is also polled. */
  readonly pollInterval?: number
  /** Milliseconds between the first notification of a change and the check. Programs write the files one after the other. */
  readonly settleTime?: number
  readonly now?: () => Date
}

/**
 * The key pair in a folder. The files are read again when they change. An invalid or incomplete pair is refused, and the last valid pair
 * stays in use.
 */
export class FileSource implements CertificateSource {
  readonly #options: FileSourceOptions
  readonly #listeners = new Set<(pair: KeyPair) => void>()
  #pair: KeyPair | undefined
  /** Digest of the files that `#pair` was loaded from. */
  #digest = ''
  /** The last refusal that was reported. It prevents a new report at every poll while the fault persists. */
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

  /** Like `current`, for callers that have awaited `start`. @throws if there is no pair yet */
  get pair (): KeyPair {
    if (!this.#pair) throw new Error('there is no serving certificate yet')
    return this.#pair
  }

  onChange (listener: (pair: KeyPair) => void): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  notReady (now = this.#now()): Obstacle | undefined {
    if (!this.#pair) return { reason: 'NoCertificate', message: 'there is no serving certificate yet' }
    const untimely = outOfTime(this.#pair, now)
    return untimely === undefined ? undefined : { reason: 'CertificateNotValid', message: `the serving certificate ${untimely}` }
  }

  impaired (): undefined {}

  /** @throws {KeyPairError} if the first pair cannot be used and `waitForFiles` is not set */
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
    // Finds changes between the first check and the start of the watch.
    this.#changed()
  }

  async stop (): Promise<void> {
    this.#state = 'stopped'
    clearTimeout(this.#settling)
    clearInterval(this.#poll)
    this.#watcher?.close()
    await (this.#nextLook ?? this.#look)
  }

  /** Checks the files. Resolves when their content is in use or refused. Only one check runs at a time, and at most one more waits. */
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
    for (const cause of pair.warnings) log.warn({ directory, cause }, 'serving certificate has a problem')
    onLoaded?.(pair)
    for (const listener of this.#listeners) {
      try {
        listener(pair)
      } catch (error) {
        log.error({ err: error, directory }, 'serving certificate could not be loaded')
      }
    }
  }

  #refuse (digest: string, error: Error): void {
    this.#options.onRefused?.()
    const told = `${digest} ${error.message}`
    if (told === this.#refused?.told) return
    this.#refused = { told, error }
    // `start` itself reports a refusal of the first check.
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

  /** Best effort: if the watch fails, polling still finds changes. */
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

  /** Schedules a check. Further notifications do not postpone it, so even a folder that changes constantly is checked. */
  #changed (): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined
      void this.reload()
    }, this.#options.settleTime ?? 50).unref()
  }

  /** This is a method because the compiler would assume that a property is unchanged after an await. */
  #isStopped (): boolean { return this.#state === 'stopped' }

  #now (): Date { return this.#options.now?.() ?? new Date() }
}

function digestOf ({ certificate, key, ca }: PemFiles): string {
  const hash = createHash('sha256')
  for (const file of [certificate, key, ca ?? Buffer.alloc(0)]) hash.update(`${file.length}:`).update(file)
  return hash.digest('hex')
}
