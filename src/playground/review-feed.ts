import type { Admission } from '../admission/admit.ts'
import type { RequestHead } from '../admission/review.ts'
import { kubectlView } from '../command-line/kubectl-view.ts'
import { plain } from '../dittoserver/quote.ts'
import type { LiveReview } from './contract.ts'

/** A page that is opened later still sees this many. */
const mostKept = 100

/** The last reviews that the webhook answered, and everyone who waits for the next one. No object is kept. */
export class ReviewFeed {
  readonly #kept: LiveReview[] = []
  readonly #listeners = new Set<(review: LiveReview) => void>()
  #count = 0

  get recent (): readonly LiveReview[] { return this.#kept }

  /** Returns how to end it. */
  listen (listener: (review: LiveReview) => void): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  readonly record = (webhook: LiveReview['webhook'], request: RequestHead, { response }: Admission, milliseconds: number): void => {
    const { operation, namespace, name, user, dryRun } = request
    const review: LiveReview = {
      id: ++this.#count,
      time: new Date().toISOString(),
      webhook,
      operation,
      namespace: plain(namespace),
      name: plain(name),
      user: plain(user),
      dryRun,
      allowed: response.allowed,
      milliseconds: Math.round(milliseconds * 100) / 100,
      kubectl: webhook === 'mutate' ? mutation(response.patch) : kubectlView(plain(name), response),
    }
    this.#kept.push(review)
    if (this.#kept.length > mostKept) this.#kept.shift()
    for (const listener of this.#listeners) listener(review)
  }
}

function mutation (patch: string | undefined): string[] {
  if (patch === undefined) return ['nothing was filled in']
  const operations = JSON.parse(Buffer.from(patch, 'base64').toString()) as { path: string, value: unknown }[]
  return operations.map(({ path, value }) => `${path.slice(1).replaceAll('/', '.')}: ${String(value)} was filled in`)
}
