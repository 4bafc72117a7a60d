import { group, kind } from '../dittoserver/api.ts'
import { plain } from '../dittoserver/quote.ts'
import { refusalLines } from './refusal-lines.ts'
import type { Report, Result } from './result.ts'

/** The verdicts in the same format in which kubectl prints them. */
export const reportText = ({ results }: Report): string =>
  results.map(result => `# ${plain(result.source)}\n${linesOf(result).join('\n')}\n`).join('')

function linesOf ({ name, allowed, errors, warnings }: Result): string[] {
  const lines = warnings.map(({ message }) => `Warning: ${message}`)
  if (allowed) return [...lines, `${kind.toLowerCase()}.${group}/${plain(name)} allowed`]
  if (errors.length === 0) return [...lines, `${kind.toLowerCase()}.${group}/${plain(name)} denied: warnings count as errors`]
  if (errors.every(({ rule }) => rule === 'MANIFEST')) return [...lines, ...errors.map(({ message }) => `error: ${message}`)]
  return [...lines, ...refusalLines(plain(name), errors.map(({ message }) => message))]
}
