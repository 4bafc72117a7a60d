/** An invalid release: each reason is a sentence for the person who started it. */
export class RefusedRelease extends Error {
  override readonly name = 'RefusedRelease'
  readonly reasons: readonly string[]

  constructor (reasons: readonly string[]) {
    super(reasons.join('; '))
    this.reasons = reasons
  }
}
