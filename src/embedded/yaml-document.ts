import { LineCounter, parseAllDocuments, Schema, type Document as Tree, type ParsedNode } from 'yaml'
import { offsetOf } from './yaml-path.ts'
import { kubectlTags } from './yaml-scalars.ts'
import { ValueError, ValueReader } from './yaml-value.ts'

/** One document of a text, with its value as JSON. */
export interface Document {
  readonly value: unknown
  /** The line of the first key or item: the document itself may begin with comments. */
  readonly line: number
  /** The line of the deepest existing part of a path such as `spec.claims[0].name`. */
  readonly lineOf: (path: string) => number
  /** The same place, with its column. */
  readonly positionOf: (path: string) => Position
  readonly duplicates: () => readonly Duplicate[]
}

/** Both count from 1, as in editors. */
export interface Position { readonly line: number, readonly column: number }

/** A key that occurs twice in a map; kubectl uses the last value. */
export interface Duplicate { readonly key: string, readonly line: number }

/** A document that kubectl cannot read either. */
export interface BrokenDocument { readonly problem: string, readonly line: number }

export const tooDeep = 'nested too deeply'

// eslint-disable-next-line no-control-regex -- characters that YAML does not allow
const notPrintable = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]/u

/** Reads one document like kubectl; `line`: the line where its text begins. Undefined for an empty document. */
export function yamlDocument (text: string, line: number): Document | BrokenDocument | undefined {
  const lines = new LineCounter()
  const lineAt = (offset: number) => line - 1 + Math.max(1, lines.linePos(offset).line)
  const broken = (problem: string, offset: number): BrokenDocument => ({ problem, line: lineAt(offset) })
  try {
    const tree = parse(text, lines)
    const control = notPrintable.exec(text)
    if (control) return broken('control characters are not allowed', control.index)
    const [error] = tree?.errors ?? []
    if (error) return broken(error.code === 'RESOURCE_EXHAUSTION' ? tooDeep : error.message, error.pos[0])
    const contents = tree?.contents ?? null
    const reader = new ValueReader(text)
    const value = reader.read(contents)
    if (value === null) return undefined
    return {
      value,
      line: lineAt(startOf(contents)),
      lineOf: path => lineAt(offsetOf(contents, path)),
      positionOf: path => {
        const offset = offsetOf(contents, path)
        return { line: lineAt(offset), column: Math.max(1, lines.linePos(offset).col) }
      },
      duplicates: () => reader.duplicates.map(({ key, node }) => ({ key, line: lineAt(startOf(node)) })),
    }
  } catch (error) {
    if (error instanceof ValueError) return broken(error.message, startOf(error.node))
    throw error
  }
}

const startOf = (node: ParsedNode | null | undefined) => node?.range[0] ?? 0

/** Created once, because that takes longer than reading a small document. */
const schema = new Schema({ schema: 'yaml-1.1', customTags: kubectlTags })

/** The text after `...`, which kubectl does not read. */
function parse (text: string, lineCounter: LineCounter): Tree.Parsed | undefined {
  const documents = parseAllDocuments(text, { version: '1.1', schema, uniqueKeys: false, prettyErrors: false, lineCounter, logLevel: 'silent' })
  return documents[0]
}
