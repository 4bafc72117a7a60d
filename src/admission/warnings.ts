/**
 * The API server counts in runes: it may cut a warning above 256 and drops whatever goes beyond 4096 in all, those of
 * other webhooks and of the CRD included. The rest of the 4096 is left to them.
 * https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response
 */
export const longestWarning = 256
export const longestWarnings = 3840

/** Keeps warnings within what the API server hands on; what does not fit is counted in the last one. */
export function fitWarnings (warnings: readonly string[]): string[] {
  const fitted: string[] = []
  let left = longestWarnings
  for (const warning of new Set(warnings)) {
    const runes = [...warning]
    const cut = runes.length > longestWarning ? `${runes.slice(0, longestWarning - 1).join('')}…` : warning
    const length = Math.min(runes.length, longestWarning)
    if (length > left - longestNote) {
      fitted.push(`and ${new Set(warnings).size - fitted.length} more warnings`)
      return fitted
    }
    fitted.push(cut)
    left -= length
  }
  return fitted
}

/** Room kept for the note on what was left out. */
const longestNote = 40
