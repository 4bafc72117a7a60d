interface SourceMap { readonly sources: readonly string[], readonly mappings: string }

/** The value of each base64 digit, by its character code. */
const digits = new Uint8Array(128)
for (const [value, digit] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].entries()) digits[digit.charCodeAt(0)] = value
const [semicolon, comma] = [';'.charCodeAt(0), ','.charCodeAt(0)]

/** The sign is the lowest bit. */
const signed = (value: number) => value & 1 ? -(value >> 1) : value >> 1

/**
 * The place in the sources of a position in the generated code, as `file:line:column`, by the last mapping before it. Lines and columns
 * count from 1. It reads the mappings up to the position, and keeps nothing: the SourceMap of Node decodes all of them, which would block
 * the process for 100 ms and take 12 MB.
 * https://tc39.es/ecma426/#sec-mappings
 */
export function sourcePosition ({ sources, mappings }: SourceMap, line: number, column: number): string | undefined {
  /** Column in the generated code; index of the source, line and column in it. Each number of the map is a difference. */
  const at: [number, number, number, number, number] = [0, 0, 0, 0, 0]
  let linesLeft = line - 1
  /** Generated code may come from no source: then its mapping is only a column. */
  let hasSource = false
  let [field, value, shift] = [0, 0, 0]
  for (let index = 0; index < mappings.length; index++) {
    const code = mappings.charCodeAt(index)
    if (code === semicolon) {
      if (linesLeft-- === 0) break
      at[0] = 0
    }
    if (code === semicolon || code === comma) {
      field = 0
      continue
    }
    const digit = digits[code] as number
    value |= (digit & 31) << shift
    shift += 5
    if (digit & 32) continue
    at[field as 0] += signed(value)
    if (field === 0 && linesLeft === 0 && at[0] >= column) break
    hasSource = field > 0
    field++
    value = shift = 0
  }
  return hasSource ? `${sources[at[1]]}:${at[2] + 1}:${at[3] + 1}` : undefined
}
