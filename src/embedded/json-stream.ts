/** One JSON object of a text, and its position. */
export interface JsonObject {
  /** Undefined for an object that is nested too deeply. */
  readonly value: unknown
  readonly start: number
  readonly end: number
}

/** No Kubernetes object comes close to this depth, and recursive functions can process it safely. */
export const deepestNesting = 1_000

/**
 * The JSON objects at the start of a text, with or without whitespace between them, as `jq` prints them; and the offset after them, where
 * other text begins.
 */
export function jsonStream (text: string): { readonly objects: readonly JsonObject[], readonly end: number } {
  const objects: JsonObject[] = []
  let end = 0
  for (;;) {
    const start = skipBlanks(text, end)
    const found = text[start] === '{' ? objectAt(text, start) : undefined
    const value = found && parsed(text.slice(start, found.end))
    if (!found || value === undefined) return { objects, end }
    objects.push({ value: found.depth > deepestNesting ? undefined : value, start, end: found.end })
    end = found.end
  }
}

function parsed (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isBlank = (character: string | undefined) => character !== undefined && ' \t\r\n'.includes(character)

function skipBlanks (text: string, from: number): number {
  let index = from
  while (isBlank(text[index])) index++
  return index
}

/** The end of the object that begins at `start`, and its nesting depth; undefined if the closing brace is missing. */
function objectAt (text: string, start: number): { end: number, depth: number } | undefined {
  let level = 0
  let depth = 0
  let isString = false
  for (let index = start; index < text.length; index++) {
    const character = text[index]
    if (isString) {
      if (character === '\\') index++
      else if (character === '"') isString = false
    } else if (character === '"') isString = true
    else if (character === '{' || character === '[') depth = Math.max(depth, ++level)
    else if ((character === '}' || character === ']') && --level === 0) return { end: index + 1, depth }
  }
  return undefined
}
