import type { Complaint } from './rule.ts'

/** A complaint of a rule, with the weight that it has in this request. */
export interface Finding extends Complaint {
  readonly rule: string
  readonly severity: 'deny' | 'warn'
}

/** Longest quotation of a user's value, in characters: a field path and a clause still fit on a line beside it. */
const longestQuotation = 64

/** A value of the user's as it may stand in a sentence: on one line, harmless to a terminal, cut when long. */
export function quote (value: unknown): string {
  const text = typeof value === 'string' ? value : shortJson(value)
  const characters = [...text]
  const cut = characters.length > longestQuotation ? `${characters.slice(0, longestQuotation - 1).join('')}…` : text
  return `'${plain(cut)}'`
}

/** Replaces what could change the reader's terminal or the direction of the text. */
export const plain = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, character => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)

/** Never walks deeper than one level: the value may be anything. */
function shortJson (value: unknown): string {
  if (Array.isArray(value)) return `[${value.length === 0 ? '' : '…'}]`
  if (typeof value === 'object' && value !== null) return '{…}'
  return String(value)
}

/**
 * The sentence that a person reads: field path, kind of problem, what was found, what is allowed, rule id.
 * ``spec.storage.storageClassName: Not found: 'fast': no such StorageClass; available: 'gp3' [SC-MISSING]``
 */
export function sentence ({ field, problem, found, detail, rule }: Finding): string {
  const value = found === undefined ? '' : `: ${quote(found)}`
  const heading = problem ? `: ${problem}${value}` : ''
  return `${plain(field)}${heading}: ${detail} [${rule}]`
}
