import { jsonStream } from './json-stream.ts'
import { tooDeep, yamlDocument, type BrokenDocument, type Document, type Duplicate, type Position } from './yaml-document.ts'

export type { BrokenDocument, Document, Duplicate, Position }

export const isBroken = (document: Document | BrokenDocument): document is BrokenDocument => 'problem' in document

/**
 * Splits a text into documents like kubectl: at lines that begin with `---`, so that a mistake in one document does not affect the others.
 * A text that begins with `{` is read as JSON, object by object, until it turns out to be YAML. Empty documents are skipped.
 */
export function documentsIn (text: string): (Document | BrokenDocument)[] {
  const { objects, end } = jsonStream(text)
  const documents: (Document | BrokenDocument)[] = []
  let [line, counted] = [1, 0]
  const lineAt = (offset: number) => {
    for (; counted < offset; counted++) if (text[counted] === '\n') line++
    return line
  }
  for (const { value, start, end } of objects) {
    const first = lineAt(start)
    if (value === undefined) {
      documents.push({ problem: tooDeep, line: first })
      continue
    }
    // JSON is also valid YAML. It is parsed as YAML only if a caller needs positions in it.
    const tree = () => {
      const document = yamlDocument(text.slice(start, end), first)
      return document && !isBroken(document) ? document : undefined
    }
    documents.push({
      value,
      line: first,
      lineOf: path => tree()?.lineOf(path) ?? first,
      positionOf: path => tree()?.positionOf(path) ?? { line: first, column: 1 },
      duplicates: () => tree()?.duplicates() ?? [],
    })
  }
  return [...documents, ...yamlDocuments(text.slice(end), lineAt(end))]
}

function yamlDocuments (text: string, firstLine: number): (Document | BrokenDocument)[] {
  const documents: (Document | BrokenDocument | undefined)[] = []
  let chunk: string[] = []
  let begin = firstLine
  const lines = text.split(/\r?\n/)
  for (const [index, line] of lines.entries()) {
    if (!line.startsWith('---')) {
      chunk.push(line)
      continue
    }
    documents.push(yamlDocument(chunk.join('\n'), begin))
    chunk = []
    begin = firstLine + index + 1
    const beside = line.slice(3).trim()
    if (beside !== '' && !beside.startsWith('#')) documents.push({ problem: "only a comment may follow '---' on its line", line: begin - 1 })
  }
  documents.push(yamlDocument(chunk.join('\n'), begin))
  return documents.filter(document => document !== undefined)
}
