import type { Logger } from 'pino'
import type { LiveServer } from './contract.ts'
import type { ReviewFeed } from './review-feed.ts'
import type { Surroundings } from './surroundings.ts'

export interface PlaygroundOptions extends Surroundings {
  /** 0: any free port. */
  readonly port: number
  readonly log: Logger
  readonly reviews: ReviewFeed
  /** The state of every DittoServer. */
  readonly servers: () => Promise<readonly LiveServer[]>
}
