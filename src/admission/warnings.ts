import { cut } from '../dittoserver/quote.ts'

/**
 * The API server counts runes. It may cut a warning above 256, and drops all warnings beyond 4096 in total, including those of other
 * webhooks and of the CRD. The rest of the 4096 is for them.
 * https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response
 */
export const longestWarning = 256
export const longestWarnings = 3840

/** Keeps warnings within the limits of the API server. The last one says how many were left out. */
export function fitWarnings (warnings: readonly string[]): string[] {
  const fitted: string[] = []
  let left = longestWarnings
  for (const warning of new Set(warnings)) {
    const shown = cut(warning, longestWarning)
    const length = lengthInRunes(shown)
    if (length > left - longestNote) {
      const more = new Set(warnings).size - fitted.length
      return [...fitted, more === 1 ? 'and 1 more warning' : `and ${more} more warnings`]
    }
    fitted.push(shown)
    left -= length
  }
  return fitted
}

const surrogatePair = /[\ud800-\udbff][\udc00-\udfff]/

/** Nearly all warnings have one code unit per rune. */
const lengthInRunes = (text: string): number => surrogatePair.test(text) ? [...text].length : text.length

/** Reserved for the last warning, which counts those that were left out. */
const longestNote = 40
