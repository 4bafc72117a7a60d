import type { Diagnostic } from '@codemirror/lint'
import type { Text } from '@codemirror/state'
import type { Trial } from '../contract.ts'

/** The findings of a trial, at their fields. Pure. */
export function diagnosticsOf ({ problems, servers }: Trial, document: Text): Diagnostic[] {
  const remarks = servers.flatMap(({ remarks }) => remarks)
  return [
    ...problems.map(({ message, line }): Diagnostic => ({ ...rangeAt(document, line, 1), severity: 'error', message })),
    ...remarks.map(({ severity, message, line, column }): Diagnostic =>
      ({ ...rangeAt(document, line, column), severity: severity === 'deny' ? 'error' : 'warning', message })),
  ].sort((a, b) => a.from - b.from)
}

/** To the end of the line, without a comment. The document may be newer than the trial. */
function rangeAt (document: Text, line: number, column: number) {
  const { from, text } = document.line(Math.min(line, document.lines))
  // A problem of the whole line begins at its first column.
  const start = Math.min(Math.max(column - 1, text.search(/\S|$/)), text.length)
  const comment = text.indexOf(' #', start)
  const length = text.slice(start, comment < 0 ? text.length : comment).trimEnd().length
  return { from: from + start, to: from + start + length }
}
