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

/** The CAs that the webhook configurations trust, and since when this process has seen that. */
export class TrustKeeper {
  readonly #options: TrustKeeperOptions
  #found: readonly WebhookTrust[] = []
  /** The CAs that every webhook trusts, by fingerprint, with the time when this process first saw it. */
  #since = new Map<string, Date>()
  #foreignTold = ''

  constructor (options: TrustKeeperOptions) {
    this.#options = options
  }

  /** @throws {StageError} */
  async read (signal: AbortSignal): Promise<void> {
    this.#take(await atStage('webhooks', 'get webhook configurations', async () => await this.#options.webhooks.read(signal)))
  }

  /**
   * Makes the configurations trust exactly these CAs. Configurations that cert-manager manages are not changed. False: a configuration has
   * changed since it was read.
   * @throws {StageError}
   */
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
      log.info({ configuration: found.title, certificates: wanted.length }, 'the CA bundle was injected')
      onInjected?.()
      return written
    }))
    this.#take(after)
    return complete
  }

  /** The time since which every webhook of every configuration trusts the CA. Undefined: a webhook does not trust it. */
  since ({ fingerprint256 }: X509Certificate): Date | undefined {
    return this.#since.get(fingerprint256)
  }

  /** The CAs that at least one webhook trusts, if they are currently valid. */
  trusted (): X509Certificate[] {
    const { now } = this.#options
    return unique(this.#found.flatMap(({ webhooks }) => webhooks.flatMap(({ caBundle }) => inForce(parseBundle(caBundle), now()))))
  }

  /** Why the API server would reject a certificate of this CA for a required webhook. Undefined: it accepts the certificate. */
  distrust (ca: X509Certificate): string | undefined {
    return distrustIn(this.#found.filter(({ isRequired }) => isRequired), ca)
  }

  /** The same for webhooks that the API server skips if they do not answer. */
  distrustOfMutating (ca: X509Certificate): string | undefined {
    return distrustIn(this.#found.filter(({ isRequired }) => !isRequired), ca)
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
      this.#options.log.warn({ configurations: foreign }, 'the CA bundle is not changed: an annotation leaves it to cert-manager')
    }
    this.#foreignTold = foreign
  }
}

function distrustIn (configurations: readonly WebhookTrust[], ca: X509Certificate): string | undefined {
  const absent = configurations.find(({ exists }) => !exists)
  if (absent) return `${absent.title} does not exist`
  const doubts = ({ webhooks }: WebhookTrust) => webhooks.some(({ caBundle }) => !fingerprints(caBundle).has(ca.fingerprint256))
  const doubting = configurations.find(doubts)
  if (!doubting) return undefined
  const why = doubting.foreign ? '; its CA bundle is left to cert-manager, as an annotation says' : ''
  return `${doubting.title} does not trust the serving certificate${why}`
}

const fingerprints = (caBundle: string) => new Set(parseBundle(caBundle).map(({ fingerprint256 }) => fingerprint256))

/** Compares the certificates, not their order or PEM formatting: replicas of different versions may write the same bundle differently. */
function holds (caBundle: string, wanted: readonly X509Certificate[]): boolean {
  const found = fingerprints(caBundle)
  return found.size === wanted.length && wanted.every(({ fingerprint256 }) => found.has(fingerprint256))
}
