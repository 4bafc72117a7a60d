export interface SecretLimitOptions {
  /** The only namespace that the operator watches; absent: all namespaces. */
  readonly namespace?: string | undefined
  /** Whether a stored DittoServer refers to the Secret. */
  readonly isNamed?: (namespace: string, name: string) => boolean
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number
}

/** Rate limit for lookups of Secrets that no server refers to. A user, or a tool that applies a hundred servers at once, stays below it. */
export const lookupsPerSecond = 20
export const mostAtOnce = 200

/**
 * A client that can reach the port of the webhook can find out through the warnings whether a Secret exists and which keys it has. This
 * limits how much a client can find out if no client certificate is required.
 */
export class SecretLimit {
  readonly #options: SecretLimitOptions
  #left = mostAtOnce
  #counted: number

  constructor (options: SecretLimitOptions) {
    this.#options = options
    this.#counted = options.now()
  }

  /** Why the Secret is not looked up, for the warning; undefined if it may be looked up. */
  refusal (namespace: string, name: string): string | undefined {
    const { namespace: watched, isNamed, now } = this.#options
    if (watched !== undefined && namespace !== watched) return `only Secrets in namespace ${watched} are looked up`
    if (isNamed?.(namespace, name)) return undefined
    const time = now()
    this.#left = Math.min(mostAtOnce, this.#left + (time - this.#counted) / 1000 * lookupsPerSecond)
    this.#counted = time
    if (this.#left < 1) return 'too many Secret lookups'
    this.#left--
    return undefined
  }
}
