import { cut, plain, quote } from '../dittoserver/quote.ts'
import type { Complaint } from './rule.ts'

/** A complaint of a rule, with its severity in this request. */
export interface Finding extends Complaint {
  readonly rule: string
  readonly severity: 'deny' | 'warn'
}

/** In characters. Only a message that quotes several long user values comes close to this. */
const longestSentence = 400
const longestField = 200

/**
 * The sentence that users read: field path, kind of problem, what was found, what is allowed, rule ID.
 * ``spec.storage.storageClassName: Not found: 'fast': no such StorageClass; available: 'gp3' [SC-MISSING]``
 */
export function sentence ({ field, problem, found, detail, rule }: Finding): string {
  const value = found === undefined ? '' : `: ${quote(found)}`
  const heading = problem ? `: ${problem}${value}` : ''
  const id = ` [${rule}]`
  return `${cut(`${fieldOf(field)}${heading}: ${detail}`, longestSentence - id.length)}${id}`
}

/** The path in printable form, because map keys in it come from the user. */
export const fieldOf = (field: string): string => cut(plain(field), longestField)
