import type { Impairment, Obstacle } from '../health/readiness.ts'
import type { KeyPair } from './key-pair.ts'

/** Where the serving certificate comes from. */
export interface CertificateSource {
  /** The pair to serve. Undefined until the first pair is loaded. An expired pair is still returned, see `notReady`. */
  current (): KeyPair | undefined
  /** Calls the listener after every change of `current`. Returns a function that unsubscribes. */
  onChange (listener: (pair: KeyPair) => void): () => void
  /** Why clients reject the served certificate, for the readiness probe. Undefined: they accept it. */
  notReady (now?: Date): Obstacle | undefined
  /** A problem that exists although clients accept the served certificate. */
  impaired (now?: Date): Impairment | undefined
  start (): Promise<void>
  /** After this has resolved, no listener is called any more. */
  stop (): Promise<void>
}

/** Callbacks for metrics. */
export interface CertificateObserver {
  /** Called at every check, even if nothing has changed. */
  readonly onRead?: () => void
  /** Called at every check that fails, even if the reason is the same as before: a rate above 0 shows that the problem persists. */
  readonly onRefused?: () => void
  readonly onLoaded?: (pair: KeyPair) => void
}
