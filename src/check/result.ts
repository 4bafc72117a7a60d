import type { Place } from '../embedded/manifests.ts'
import { sentence, type Finding } from '../rules/finding.ts'

/** A finding, and its position in the file. */
export interface Remark extends Finding {
  readonly line: number
  /** The complete message. */
  readonly message: string
}

/** The findings about one manifest. */
export interface Result extends Place {
  readonly namespace: string
  /** Empty for a document that is not an object, or an object without a name. */
  readonly name: string
  readonly errors: readonly Remark[]
  readonly warnings: readonly Remark[]
  /** Whether the manifest passes; warnings count if they are treated as errors. */
  readonly allowed: boolean
}

export interface Report {
  readonly results: readonly Result[]
  readonly warningsAsErrors: boolean
  /** Rules that were skipped because nothing is known about the cluster. */
  readonly skippedRules: readonly string[]
}

export const remark = (finding: Finding, line: number): Remark => ({
  ...finding, line, message: finding.field === '' ? `${finding.detail} [${finding.rule}]` : sentence(finding),
})

/** 0: all objects are allowed. 1: an object is not allowed. 2: nothing was judged. */
export function exitCodeOf ({ results }: Report): number {
  if (results.length === 0) return 2
  return results.every(({ allowed }) => allowed) ? 0 : 1
}
