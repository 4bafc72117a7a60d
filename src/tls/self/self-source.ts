import type { X509Certificate } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { BaseLogger } from 'pino'
import { Backoff } from '../../cluster/backoff.ts'
import type { CertificateObserver, CertificateSource } from '../certificate-source.ts'
import { outOfTime, type KeyPair } from '../key-pair.ts'
import { unique } from './ca-bundle.ts'
import { carryOut } from './carry-out.ts'
import { defaultTimes, plan, type RotationTimes, type Step } from './plan.ts'
import { readContents, type SecretContents, type ServingCertificate } from './secret-contents.ts'
import type { SecretStore, StoredSecret } from './secret-store.ts'
import { atStage, StageError } from './stage.ts'
import { TrustKeeper } from './trust-keeper.ts'
import type { WebhookTrustStore } from './webhook-trust.ts'

export interface SelfSourceObserver extends CertificateObserver {
  readonly onRotated?: (part: 'authority' | 'certificate') => void
  readonly onAuthority?: (notAfter: Date) => void
  readonly onInjected?: () => void
  readonly onInjectionFailed?: () => void
}

export interface SelfSourceOptions extends SelfSourceObserver {
  readonly secrets: SecretStore
  readonly webhooks: WebhookTrustStore
  /** Host names and addresses that the certificate is to speak for. */
  readonly names: readonly string[]
  readonly log: Pick<BaseLogger, 'info' | 'warn' | 'error'>
  readonly times?: RotationTimes
  /** Milliseconds between looks that nothing prompted. */
  readonly pollInterval?: number
  /** Milliseconds after which a replica that could not look may serve what others have given up, and so is not ready. */
  readonly staleAfter?: number
  readonly now?: () => Date
}

/** Writes of one look. More than a rotation takes, so that only a Secret that somebody else keeps changing uses them up. */
const attempts = 8
const firstRetry = 500
/** Changes often come in twos and threes. */
const settleTime = 50
/** https://cert-manager.io/docs/reference/annotations/ */
const certManagerOwner = 'cert-manager.io/certificate-name'

/**
 * The key pair of a Secret that every replica reads and any replica renews, trusted by way of the webhook configurations.
 * What is served changes its authority only after every configuration trusts the new one.
 */
export class SelfSource implements CertificateSource {
  readonly #options: SelfSourceOptions
  readonly #times: RotationTimes
  readonly #pollInterval: number
  readonly #trust: TrustKeeper
  readonly #listeners = new Set<(pair: KeyPair) => void>()
  readonly #abort = new AbortController()
  readonly #backoff: Backoff
  #wake = Promise.withResolvers<void>()
  #running: Promise<void> | undefined
  #serving: ServingCertificate | undefined
  /** What clients were to trust when the Secret was last seen. */
  #bundle: readonly X509Certificate[] = []
  /** What the configurations trust when this process starts, other replicas or another mode may still be serving. */
  #adopting = true
  #seen: Date | undefined
  #distrust: string | undefined
  #fault: string | undefined
  #ownedTold = false
  #uselessTold = false

  constructor (options: SelfSourceOptions) {
    this.#options = options
    this.#times = options.times ?? defaultTimes
    this.#pollInterval = options.pollInterval ?? 10_000
    this.#trust = new TrustKeeper({ ...options, now: () => this.#now() })
    this.#backoff = new Backoff({ firstMs: Math.min(firstRetry, this.#pollInterval), capMs: this.#pollInterval })
  }

  current (): KeyPair | undefined { return this.#serving?.pair }

  onChange (listener: (pair: KeyPair) => void): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  notReady (now = this.#now()): string | undefined {
    const { staleAfter = 300_000 } = this.#options
    const because = this.#fault === undefined ? '' : `: ${this.#fault}`
    if (!this.#serving) return `there is no serving certificate yet${because}`
    const untimely = outOfTime(this.#serving.pair, now)
    if (untimely !== undefined) return `the serving certificate ${untimely}${because}`
    if (this.#distrust !== undefined) return this.#distrust
    const unseen = now.getTime() - (this.#seen?.getTime() ?? 0)
    return unseen > staleAfter ? `the certificate Secret was not seen for ${Math.round(unseen / 1000)} s${because}` : undefined
  }

  /** Does not wait for the API server, which may be away. */
  start (): Promise<void> {
    this.#running ??= this.#run()
    return Promise.resolve()
  }

  async stop (): Promise<void> {
    this.#listeners.clear()
    this.#abort.abort()
    await this.#running
  }

  /** Something may have changed. */
  wake (): void {
    this.#wake.resolve()
  }

  async #run (): Promise<void> {
    const { signal } = this.#abort
    const pause = async (milliseconds: number) => {
      const woken = new AbortController()
      const slept = delay(milliseconds, undefined, { signal: AbortSignal.any([signal, woken.signal]) }).catch(() => {}) // only an abort
      await Promise.race([slept, this.#wake.promise])
      woken.abort()
    }
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers()
      await pause(await this.look())
      if (!signal.aborted) await delay(settleTime)
    }
  }

  /** One look at the Secret and the webhook configurations, with all that follows from it. Milliseconds until the next one. */
  async look (): Promise<number> {
    const { onRead, log } = this.#options
    onRead?.()
    try {
      const due = await this.#lookNow(this.#abort.signal)
      this.#backoff.reset()
      if (this.#fault !== undefined) log.info('certificates can be looked after again')
      this.#fault = undefined
      this.#seen = this.#now()
      return Math.max(0, Math.min(this.#pollInterval, due === undefined ? Infinity : due.getTime() - this.#now().getTime()))
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#failed(error)
      return this.#backoff.next()
    }
  }

  #failed (error: unknown): void {
    const { log, onRefused, onInjectionFailed } = this.#options
    const { message } = error as Error
    if (error instanceof StageError && error.stage === 'webhooks') onInjectionFailed?.()
    else onRefused?.()
    if (message === this.#fault) return
    this.#fault = message
    log.error({ cause: message, err: error, notAfter: this.#serving?.pair.notAfter }, 'certificates cannot be looked after')
  }

  async #lookNow (signal: AbortSignal): Promise<Date | undefined> {
    // Before the Secret: a bundle that is newer than the Secret it is compared to would be taken for one to be undone.
    await this.#trust.read(signal)
    const { contents, until, owned } = await this.#bringUpToDate(signal)
    this.#bundle = contents.bundle
    if (contents.extraUseless && !this.#uselessTold) this.#options.log.warn('trust.crt of the certificate Secret holds no authority that is in force')
    this.#uselessTold = contents.extraUseless
    // What has been trusted until now is served until the other replicas have followed, and it is not ours to say when that is.
    const besides = owned ? this.#trust.trusted() : contents.extra
    const complete = await this.#trust.inject(unique([...contents.bundle, ...besides]), signal)
    this.#adopting = false
    const deferred = this.#serve(contents)
    this.#distrust = this.#serving && this.#trust.distrust(this.#serving.signer)
    if (!complete) return this.#now()
    // The new authority of a rotation may have been published just now.
    const known = typeof contents.authority === 'string' ? undefined : this.#trust.since(contents.authority.parsed)
    const settled = known && new Date(known.getTime() + this.#times.settle)
    return soonest([until, deferred, settled && settled > this.#now() ? settled : undefined])
  }

  /** Writes the Secret until nothing is left to do now. Whoever loses a race goes on from what the winner wrote. */
  async #bringUpToDate (signal: AbortSignal): Promise<{ contents: SecretContents, until: Date | undefined, owned: boolean }> {
    const { secrets, names } = this.#options
    const read = async () => await atStage('secret', 'get secrets', async () => await secrets.read(signal))
    let secret = await read()
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const now = this.#now()
      const contents = secret && readContents(secret, now)
      if (secret && contents && certManagerOwner in secret.annotations) return this.#takeAsItIs(contents)
      const step = this.#plan(contents, now)
      if (step.action === 'none') {
        if (contents) return { contents, until: step.until, owned: false }
        break
      }
      const previous: StoredSecret | undefined = secret
      const fields = await carryOut(step, { fields: previous, contents, names, now, times: this.#times })
      const verb = previous ? 'update' : 'create'
      const written = await atStage('secret', `${verb} secrets`, async () => await secrets.write(fields, previous, signal))
      if (written) this.#tell(step, contents)
      secret = written ?? await read()
    }
    throw new StageError('secret', 'the Secret does not stay as it was written')
  }

  /** Two who renew one certificate would never be done. @throws {StageError} when there is nothing to serve in it */
  #takeAsItIs (contents: SecretContents) {
    const { serving } = contents
    if (typeof serving === 'string') throw new StageError('secret', `the Secret belongs to cert-manager (annotation ${certManagerOwner}): ${serving}`)
    if (!this.#ownedTold) this.#options.log.warn({ annotation: certManagerOwner }, 'the certificate Secret belongs to cert-manager; it is served, but not renewed here')
    this.#ownedTold = true
    return { contents, until: undefined, owned: true }
  }

  #plan (secret: SecretContents | undefined, now: Date): Step {
    const serving = this.#serving && outOfTime(this.#serving.pair, now) === undefined ? this.#serving : undefined
    return plan({
      secret,
      memory: serving && { serving, trusted: this.#bundle },
      adopt: this.#adopting ? this.#trust.trusted() : [],
      publishedSince: authority => this.#trust.since(authority),
      names: this.#options.names,
    }, now, this.#times)
  }

  #tell (step: Exclude<Step, { action: 'none' }>, before: SecretContents | undefined): void {
    const { log, onRotated } = this.#options
    const { action, reason: cause } = step
    const damaged = before && (typeof before.serving === 'string' || typeof before.authority === 'string')
    if (damaged) log.warn({ step: action, cause }, 'the certificate Secret was damaged and is repaired')
    else log.info({ step: action, cause }, 'the certificate Secret was renewed')
    if (action === 'issue' || action === 'renew-authority') onRotated?.('authority')
    if (action === 'issue' || action === 'renew-certificate') onRotated?.('certificate')
  }

  /** Takes up what the Secret holds, or tells when it may. */
  #serve ({ serving, authority }: SecretContents): Date | undefined {
    const { log, onLoaded, onAuthority } = this.#options
    if (typeof authority !== 'string') onAuthority?.(authority.parsed.validToDate)
    if (typeof serving === 'string') return undefined
    if (this.#serving?.pair.fingerprint256 === serving.pair.fingerprint256) return undefined
    const settled = this.#settledAt(serving)
    if (settled === undefined || settled > this.#now()) return settled
    this.#serving = serving
    const { serial, fingerprint256, names, notAfter } = serving.pair
    log.info({ serial, fingerprint256, names, notAfter }, 'serving certificate loaded')
    for (const cause of serving.pair.warnings) log.warn({ cause }, 'serving certificate is doubtful')
    onLoaded?.(serving.pair)
    for (const listener of this.#listeners) {
      try {
        listener(serving.pair)
      } catch (error) {
        log.error({ err: error }, 'serving certificate could not be put to use')
      }
    }
    return undefined
  }

  /** From when on a certificate may be served. Undefined: not until its authority is trusted, for what is served now is. */
  #settledAt (next: ServingCertificate): Date | undefined {
    const now = this.#now()
    const current = this.#serving
    if (!current || outOfTime(current.pair, now) !== undefined) return now
    if (current.signer.fingerprint256 === next.signer.fingerprint256 || !this.#trust.since(current.signer)) return now
    const since = this.#trust.since(next.signer)
    return since && new Date(since.getTime() + this.#times.settle)
  }

  #now (): Date { return this.#options.now?.() ?? new Date() }
}

function soonest (times: readonly (Date | undefined)[]): Date | undefined {
  const known = times.flatMap(time => time ? [time.getTime()] : [])
  return known.length > 0 ? new Date(Math.min(...known)) : undefined
}
