import type { KeyPair } from './key-pair.ts'

/** Where the serving certificate comes from. */
export interface CertificateSource {
  /** What to serve: undefined until there is a first pair. A pair that has expired stays, see `notReady`. */
  current (): KeyPair | undefined
  /** Called after every change of `current`. Returns how to unsubscribe. */
  onChange (listener: (pair: KeyPair) => void): () => void
  /** Why clients will not accept what is served, if so: for readiness. */
  notReady (now?: Date): string | undefined
  start (): Promise<void>
  /** No listener is called any more once it has resolved. */
  stop (): Promise<void>
}

/** For metrics. */
export interface CertificateObserver {
  /** At every look, whether or not it brings anything new. */
  readonly onRead?: () => void
  /** At every look that ends in a refusal, also if it is the same as last time: a rate above 0 says that it still lasts. */
  readonly onRefused?: () => void
  readonly onLoaded?: (pair: KeyPair) => void
}
