import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { sourcePosition } from './source-position.ts'

// Makes stack traces show files and lines of `src`. Node can do this with --enable-source-maps, but then it reads the source map at start.
// That needs 15 MB and a quarter of the time until the program is ready. Here the map is read when the first stack trace is formatted.
// Node formats the trace of each error that ends a connection, so positions are remembered: there are only as many as places in the code.

let map: Parameters<typeof sourcePosition>[0] | undefined
let isMissing = false
const known = new Map<string, string | undefined>()

function origin (line: number, column: number): string | undefined {
  const position = `${line}:${column}`
  if (!known.has(position)) known.set(position, read(line, column))
  return known.get(position)
}

function read (line: number, column: number): string | undefined {
  if (!map && !isMissing) {
    try {
      const { sources, mappings } = JSON.parse(readFileSync(`${fileURLToPath(import.meta.url)}.map`, 'utf8')) as NonNullable<typeof map>
      map = { sources, mappings }
    } catch {
      // Only the program was copied, without its map. Stack traces then show the lines of the bundle.
      isMissing = true
    }
  }
  return map && sourcePosition(map, line, column)?.replace(/^(?:\.\.\/)+/, '')
}

function inSource (frame: NodeJS.CallSite): string {
  const text = String(frame)
  const [line, column] = [frame.getLineNumber(), frame.getColumnNumber()]
  if (frame.getFileName() !== import.meta.url || line === null || column === null) return text
  const place = origin(line, column)
  return place === undefined ? text : text.replace(`${import.meta.url}:${line}:${column}`, place)
}

Error.prepareStackTrace = (error, frames) => [String(error), ...frames.map(frame => `    at ${inSource(frame)}`)].join('\n')
