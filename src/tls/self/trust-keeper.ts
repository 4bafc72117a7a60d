import type { X509Certificate } from 'node:crypto'
import type { BaseLogger } from 'pino'
import { bundlePem, inForce, parseBundle, unique } from './ca-bundle.ts'
import { atStage } from './stage.ts'
import type { WebhookTrust, WebhookTrustStore } from './webhook-trust.ts'

export interface TrustKeeperOptions {
  readonly webhooks: WebhookTrustStore
  readonly log: Pick<BaseLogger, 'info' | 'warn'>
  readonly now: () => Date
  readonly onInjected?: () => void
}

/** Whom the webhook configurations trust, and have trusted since when, as this process sees it. */
export class TrustKeeper {
  readonly #options: TrustKeeperOptions
  #found: readonly WebhookTrust[] = []
  /** Authorities that every webhook trusts, by fingerprint. */
  #since = new Map<string, Date>()
  #foreignTold = ''

  constructor (options: TrustKeeperOptions) {
    this.#options = options
  }

  /** @throws {StageError} */
  async read (signal: AbortSignal): Promise<void> {
    this.#take(await atStage('webhooks', 'get webhook configurations', async () => await this.#options.webhooks.read(signal)))
  }

  /** Makes every configuration trust exactly these. False: one has changed since it was read. @throws {StageError} */
  async inject (wanted: readonly X509Certificate[], signal: AbortSignal): Promise<boolean> {
    const { webhooks, log, onInjected } = this.#options
    const caBundle = bundlePem(wanted)
    this.#tellForeign()
    let complete = true
    const after = await Promise.all(this.#found.map(async found => {
      if (!found.exists || found.foreign || found.webhooks.every(webhook => holds(webhook.caBundle, wanted))) return found
      const written = await atStage('webhooks', 'patch webhook configurations', async () => await webhooks.inject(found, caBundle, signal))
      if (!written) {
        complete = false
        return found
      }
      log.info({ configuration: found.title, authorities: wanted.length }, 'the CA bundle was injected')
      onInjected?.()
      return written
    }))
    this.#take(after)
    return complete
  }

  /** Since when every webhook of every configuration trusts the authority. */
  since ({ fingerprint256 }: X509Certificate): Date | undefined {
    return this.#since.get(fingerprint256)
  }

  /** Whoever any of them trusts. */
  trusted (): X509Certificate[] {
    const { now } = this.#options
    return unique(this.#found.flatMap(({ webhooks }) => webhooks.flatMap(({ caBundle }) => inForce(parseBundle(caBundle), now()))))
  }

  /** Why the API server would not accept a certificate of this authority, if so. */
  distrust (authority: X509Certificate): string | undefined {
    const absent = this.#found.find(({ exists }) => !exists)
    if (absent) return `${absent.title} does not exist`
    const doubts = ({ webhooks }: WebhookTrust) => webhooks.some(({ caBundle }) => !fingerprints(caBundle).has(authority.fingerprint256))
    const doubting = this.#found.find(doubts)
    if (!doubting) return undefined
    const why = doubting.foreign ? '; its CA bundle is left to cert-manager, as an annotation says' : ''
    return `${doubting.title} does not trust the serving certificate${why}`
  }

  #take (found: readonly WebhookTrust[]): void {
    this.#found = found
    const bundles = found.flatMap(({ exists, webhooks }) =>
      exists ? webhooks.map(({ caBundle }) => fingerprints(caBundle)) : [new Set<string>()])
    const [first = new Set<string>(), ...others] = bundles
    const everywhere = [...first].filter(fingerprint => others.every(other => other.has(fingerprint)))
    const now = this.#options.now()
    this.#since = new Map(everywhere.map(fingerprint => [fingerprint, this.#since.get(fingerprint) ?? now]))
  }

  #tellForeign (): void {
    const foreign = this.#found.filter(found => found.foreign).map(({ title }) => title).join(', ')
    if (foreign !== '' && foreign !== this.#foreignTold) {
      this.#options.log.warn({ configurations: foreign }, 'the CA bundle is left to cert-manager, as an annotation says')
    }
    this.#foreignTold = foreign
  }
}

const fingerprints = (caBundle: string) => new Set(parseBundle(caBundle).map(({ fingerprint256 }) => fingerprint256))

/** Whatever their order and however they are written: a replica of another version must not see a difference. */
function holds (caBundle: string, wanted: readonly X509Certificate[]): boolean {
  const found = fingerprints(caBundle)
  return found.size === wanted.length && wanted.every(({ fingerprint256 }) => found.has(fingerprint256))
}
