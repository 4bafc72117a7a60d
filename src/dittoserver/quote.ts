/** Maximum length of a quoted user value, in characters: a field path and a clause still fit on the same line. */
const longestQuotation = 64

/** A user value in printable form: on one line, without control characters, cut if it is long. */
export function quote (value: unknown): string {
  return `'${plain(cut(typeof value === 'string' ? value : shortJson(value), longestQuotation)).replaceAll("'", '\\u{27}')}'`
}

/** At most `longest` characters; the last one is an ellipsis if the text is cut. Reads only as much as it keeps. */
export function cut (text: string, longest: number): string {
  if (text.length <= longest) return text
  // A character has at most two code units.
  const characters = [...text.slice(0, 2 * longest + 2)]
  return characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : text
}

/** Replaces characters that could affect the reader's terminal or the text direction. */
export const plain = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, character => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)

/** Never walks deeper than one level, because the value may be anything. */
function shortJson (value: unknown): string {
  if (Array.isArray(value)) return `[${value.length === 0 ? '' : '…'}]`
  if (typeof value === 'object' && value !== null) return '{…}'
  return String(value)
}
