import type { StructuralSchema } from '../../dittoserver/structural.ts'

// The field of a manifest at a line, and its schema. By indentation, not by syntax tree: while one types, most manifests are no valid YAML.
// Flow style (`{a: b}`) is not followed; Kubernetes manifests rarely use it.

/** One line of block style: `  - key: value`. */
interface Line {
  /** Column of the first dash; that of the key if there is none. */
  readonly dash: number
  /** Column of the key, or of the value of an item. */
  readonly indent: number
  readonly isItem: boolean
  readonly key: string | undefined
}

/** Undefined: empty, or a comment. */
function read (line: string): Line | undefined {
  const dash = line.search(/\S/)
  if (dash < 0 || line[dash] === '#') return undefined
  let indent = dash
  while (line[indent] === '-' && (line[indent + 1] ?? ' ') === ' ') {
    indent++
    while (line[indent] === ' ') indent++
  }
  return { dash, indent, isItem: indent > dash, key: keyOf(line.slice(indent)) }
}

function keyOf (text: string): string | undefined {
  const [quote = ''] = text
  if (quote === '"' || quote === "'") {
    const end = text.indexOf(quote, 1)
    return end > 0 && text.slice(end + 1).trimStart().startsWith(':') ? text.slice(1, end) : undefined
  }
  const end = `${text} `.indexOf(': ')
  const key = text.slice(0, Math.max(0, end)).trimEnd()
  return key === '' || key.includes(' #') ? undefined : key
}

const separator = /^(---|\.\.\.)/

/** A step into a list. */
export const item = '[]'

/** The path of the map that a key at `indent` in line `index` (from 0) belongs to. Pure. */
export function parentPath (lines: readonly string[], index: number, indent: number): string[] {
  const path: string[] = []
  let limit = indent
  const own = read(lines[index] ?? '')
  if (own?.isItem && own.indent === indent) {
    path.unshift(item)
    limit = own.dash + 1
  }
  for (let at = index - 1; at >= 0 && limit > 0; at--) {
    const text = lines[at] ?? ''
    if (separator.test(text)) break
    const line = read(text)
    if (!line) continue
    if (line.isItem && line.indent === limit) {
      path.unshift(item)
      limit = line.dash + 1
    } else if (line.indent < limit && line.key !== undefined) {
      path.unshift(line.key)
      limit = line.indent
      if (line.isItem) {
        path.unshift(item)
        limit = line.dash + 1
      }
    }
  }
  return path
}

export interface Place {
  readonly path: readonly string[]
  readonly key: string
  /** Columns of the key. */
  readonly from: number
  readonly to: number
  /** Column where the value begins; undefined without a colon. */
  readonly value: number | undefined
}

/** The key in a line, with its path. Pure. */
export function keyIn (lines: readonly string[], index: number): Place | undefined {
  const text = lines[index] ?? ''
  const line = read(text)
  if (line?.key === undefined) return undefined
  const to = text.indexOf(':', line.indent + line.key.length)
  return { path: [...parentPath(lines, index, line.indent), line.key], key: line.key, from: line.indent, to, value: to + 1 }
}

/** Keys that the map with a key at `indent` has already. Pure. */
export function siblings (lines: readonly string[], index: number, indent: number): Set<string> {
  const found = new Set<string>()
  for (const step of [-1, 1]) {
    for (let at = index + step; at >= 0 && at < lines.length; at += step) {
      const text = lines[at] ?? ''
      if (separator.test(text)) break
      const line = read(text)
      if (!line) continue
      if (line.indent < indent || (line.isItem && line.indent === indent && step > 0)) break
      if (line.indent !== indent) continue
      if (line.key !== undefined) found.add(line.key)
      if (line.isItem) break
    }
  }
  return found
}

/** The kind of the document that contains a line; undefined if it does not say. Pure. */
export function kindAt (lines: readonly string[], index: number): string | undefined {
  let begin = index
  while (begin > 0 && !separator.test(lines[begin] ?? '')) begin--
  for (let at = begin; at < lines.length; at++) {
    const text = lines[at] ?? ''
    if (at > begin && separator.test(text)) break
    const [, kind] = /^kind: *["']?([\w.]+)/.exec(text) ?? []
    if (kind !== undefined) return kind
  }
  return undefined
}

/** The schema of a path. Pure. */
export function schemaOf (root: StructuralSchema, path: readonly string[]): StructuralSchema | undefined {
  let node: StructuralSchema | undefined = root
  for (const key of path) node = key === item ? node?.items : node?.properties?.[key] ?? node?.additionalProperties
  return node
}

/** One line about the type and its default. Pure. */
export function typeOf ({ type, enum: choices, 'x-kubernetes-int-or-string': either, properties, items }: StructuralSchema): string {
  if (choices) return choices.join(' | ')
  if (either) return 'integer or string'
  if (items) return `list of ${items.type ?? 'values'}s`
  return properties ? 'object' : type === 'object' ? 'map' : type ?? ''
}
