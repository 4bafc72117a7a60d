import type { X509Certificate } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { BaseLogger } from 'pino'
import { Backoff } from '../../cluster/backoff.ts'
import type { Impairment, Obstacle } from '../../health/readiness.ts'
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
  readonly onRotated?: (part: 'ca' | 'certificate') => void
  readonly onCa?: (notAfter: Date) => void
  readonly onInjected?: () => void
  readonly onInjectionFailed?: () => void
}

export interface SelfSourceOptions extends SelfSourceObserver {
  readonly secrets: SecretStore
  readonly webhooks: WebhookTrustStore
  /** Host names and addresses that the certificate must be valid for. */
  readonly names: readonly string[]
  readonly log: Pick<BaseLogger, 'info' | 'warn' | 'error'>
  readonly times?: RotationTimes
  /** Milliseconds between two checks if no event triggers an earlier one. */
  readonly pollInterval?: number
  /** Milliseconds without a successful check. After this time the replica may serve a certificate that other replicas have replaced. */
  readonly staleAfter?: number
  readonly now?: () => Date
}

/** Most writes of the Secret in one check. A rotation needs fewer, so the limit is only reached if another client keeps changing it. */
const attempts = 8
const firstRetry = 500
/** Milliseconds between a wake-up and the check, because two or three changes often arrive together. */
const settleTime = 50
/** https://cert-manager.io/docs/reference/annotations/ */
const certManagerOwner = 'cert-manager.io/certificate-name'

/**
 * The key pair in a Secret that all replicas share. Every replica reads the Secret, and any replica can renew the pair. The webhook
 * configurations tell the API server which CAs to trust. While the current certificate is valid and trusted, a replica serves a certificate
 * of a new CA only after every configuration trusts that CA.
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
  /** The CAs in ca.crt when the Secret was last read. */
  #bundle: readonly X509Certificate[] = []
  /**
   * True until the first injection. The CAs that the configurations trust at the start of this process are adopted, because other replicas
   * may still serve certificates of these CAs, or an earlier certificate mode may have issued certificates that are still served.
   */
  #adopting = true
  #seen: Date | undefined
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

  notReady (now = this.#now()): Obstacle | undefined {
    if (!this.#serving) return { reason: 'NoCertificate', message: `there is no serving certificate yet${this.#because()}` }
    const untimely = outOfTime(this.#serving.pair, now)
    if (untimely !== undefined) return { reason: 'CertificateNotValid', message: `the serving certificate ${untimely}${this.#because()}` }
    const distrust = this.#trust.distrust(this.#serving.signer)
    return distrust === undefined ? undefined : { reason: 'CertificateNotTrusted', message: distrust }
  }

  /**
   * Problems that do not stop reviews. Either the mutating webhook does not trust the certificate, so objects are stored without defaults.
   * Or the Secret cannot be checked, so this replica would miss the next rotation.
   */
  impaired (now = this.#now()): Impairment | undefined {
    const { staleAfter = 300_000 } = this.#options
    const distrust = this.#serving && this.#trust.distrustOfMutating(this.#serving.signer)
    if (distrust !== undefined) return { reason: 'MutatingWebhookNotTrusting', message: distrust }
    const unseen = now.getTime() - (this.#seen?.getTime() ?? now.getTime())
    if (unseen <= staleAfter) return undefined
    return { reason: 'CertificateSecretNotSeen', message: `the certificate Secret was not seen for ${Math.round(unseen / 1000)} s${this.#because()}` }
  }

  #because (): string { return this.#fault === undefined ? '' : `: ${this.#fault}` }

  /** Does not wait for the API server, because it may be unavailable. */
  start (): Promise<void> {
    this.#running ??= this.#run()
    return Promise.resolve()
  }

  async stop (): Promise<void> {
    this.#listeners.clear()
    this.#abort.abort()
    await this.#running
  }

  /** Starts the next check early. Call it if the Secret or a webhook configuration may have changed. */
  wake (): void {
    this.#wake.resolve()
  }

  async #run (): Promise<void> {
    const { signal } = this.#abort
    const pause = async (milliseconds: number) => {
      const woken = new AbortController()
      const slept = delay(milliseconds, undefined, { signal: AbortSignal.any([signal, woken.signal]) }).catch(() => {}) // aborted
      await Promise.race([slept, this.#wake.promise])
      woken.abort()
    }
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers()
      await pause(await this.look())
      if (!signal.aborted) await delay(settleTime)
    }
  }

  /** Checks the Secret and the webhook configurations once, and writes what is due. Resolves with the milliseconds until the next check. */
  async look (): Promise<number> {
    const { onRead, log } = this.#options
    onRead?.()
    try {
      const due = await this.#lookNow(this.#abort.signal)
      this.#backoff.reset()
      if (this.#fault !== undefined) log.info('certificates can be checked and renewed again')
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
    log.error({ cause: message, err: error, notAfter: this.#serving?.pair.notAfter }, 'certificates cannot be checked and renewed')
  }

  async #lookNow (signal: AbortSignal): Promise<Date | undefined> {
    // The webhook configurations are read before the Secret. In the other order, another replica could write a new Secret and inject its
    // CA between the two reads. This replica would then replace the new bundle with the one from the old Secret.
    await this.#trust.read(signal)
    const { contents, until, owned } = await this.#bringUpToDate(signal)
    this.#bundle = contents.bundle
    if (contents.extraUseless && !this.#uselessTold) this.#options.log.warn('trust.crt of the certificate Secret contains no CA that is valid now')
    this.#uselessTold = contents.extraUseless
    // In a Secret of cert-manager there is no overlap time, so this process cannot tell when all replicas have loaded a new certificate.
    // All CAs that the configurations trust now stay trusted.
    const besides = owned ? this.#trust.trusted() : contents.extra
    const complete = await this.#trust.inject(unique([...contents.bundle, ...besides]), signal)
    this.#adopting = false
    const deferred = this.#serve(contents)
    if (!complete) return this.#now()
    // The injection may have published the new CA of a rotation. Then the next check is due when its settle time has passed.
    const known = typeof contents.ca === 'string' ? undefined : this.#trust.since(contents.ca.parsed)
    const settled = known && new Date(known.getTime() + this.#times.settle)
    return soonest([until, deferred, settled && settled > this.#now() ? settled : undefined])
  }

  /** Writes the Secret until no step is due. If another client writes first, the next step is planned from the Secret that it wrote. */
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
    throw new StageError('secret', 'another program overwrites the Secret')
  }

  /**
   * Serves a Secret of cert-manager without renewing it. If the operator and cert-manager both renewed a certificate, each would keep
   * replacing the other's result.
   * @throws {StageError} if the Secret has no usable serving certificate
   */
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
      publishedSince: ca => this.#trust.since(ca),
      names: this.#options.names,
    }, now, this.#times)
  }

  #tell (step: Exclude<Step, { action: 'none' }>, before: SecretContents | undefined): void {
    const { log, onRotated } = this.#options
    const { action, reason: cause } = step
    const damaged = before && (typeof before.serving === 'string' || typeof before.ca === 'string')
    if (damaged) log.warn({ step: action, cause }, 'the certificate Secret was damaged and is repaired')
    else log.info({ step: action, cause }, 'the certificate Secret was renewed')
    if (action === 'issue' || action === 'renew-ca') onRotated?.('ca')
    if (action === 'issue' || action === 'renew-certificate') onRotated?.('certificate')
  }

  /** Starts to serve the certificate of the Secret. If it may not be served yet, returns the time from which it may, if that is known. */
  #serve ({ serving, ca }: SecretContents): Date | undefined {
    const { log, onLoaded, onCa } = this.#options
    if (typeof ca !== 'string') onCa?.(ca.parsed.validToDate)
    if (typeof serving === 'string') return undefined
    if (this.#serving?.pair.fingerprint256 === serving.pair.fingerprint256) return undefined
    const settled = this.#settledAt(serving)
    if (settled === undefined || settled > this.#now()) return settled
    this.#serving = serving
    const { serial, fingerprint256, names, notAfter } = serving.pair
    log.info({ serial, fingerprint256, names, notAfter }, 'serving certificate loaded')
    for (const cause of serving.pair.warnings) log.warn({ cause }, 'serving certificate has a problem')
    onLoaded?.(serving.pair)
    for (const listener of this.#listeners) {
      try {
        listener(serving.pair)
      } catch (error) {
        log.error({ err: error }, 'serving certificate could not be loaded')
      }
    }
    return undefined
  }

  /** The time from which `next` may be served. Undefined: its CA is not trusted yet, and the CA of the current certificate is. */
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
