import { fitted, type Line, type Style } from '../status/lines.ts'
import type { Screen } from './terminal.ts'

/** Select Graphic Rendition of ECMA-48. */
const codes: Readonly<Record<Style, string>> = { ok: '32', progress: '33', wrong: '31', unknown: '35', faint: '2', strong: '1', plain: '' }

/** A line as text, with colours if the terminal wants them, and no longer than `columns`. Pure. */
export function paint (line: Line, { colours }: Pick<Screen, 'colours'>, columns = Infinity): string {
  return fitted(line, columns)
    .map(([style, text]) => colours && codes[style] !== '' ? `\x1b[${codes[style]}m${text}\x1b[0m` : text)
    .join('').trimEnd()
}

const home = '\x1b[H'
const clearLine = '\x1b[K'
const clearBelow = '\x1b[J'
/** The alternate screen keeps what was on the terminal before. */
const enter = '\x1b[?1049h\x1b[?25l'
const leave = '\x1b[?25h\x1b[?1049l'

/**
 * One frame as one text: each line overwrites the one before, and is cleared behind its end. Nothing is blank in between, so nothing
 * flickers. Pure.
 */
export function frameOf (lines: readonly Line[], screen: Pick<Screen, 'colours'>, columns: number, rows: number): string {
  const more = lines.length - rows
  const shown: readonly Line[] = more > 0 ? [...lines.slice(0, rows - 1), [['faint', `${more + 1} more lines: make the terminal larger, or name a server`]]] : lines
  return `${home}${shown.map(line => `${paint(line, screen, columns)}${clearLine}`).join('\n')}${clearBelow}`
}

export const alternateScreen = { enter, leave }
