import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { LineCounter, parseAllDocuments } from 'yaml'
import { isObject } from '../dittoserver/structural.ts'

/** One object out of a manifest, and where it stands. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly object: Readonly<Record<string, unknown>>
  /** `file.yaml`, and `file.yaml:12` for the second document of a file and on. */
  readonly source: string
}

/** A file that is no YAML, or holds something that is no Kubernetes object. The message names file and line. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError'
}

/**
 * Every object in a text of one or many YAML documents (JSON is YAML too). Lists are taken apart, empty documents passed over.
 * @throws {ManifestError}
 */
export function parseManifests (text: string, source: string): Manifest[] {
  const lineCounter = new LineCounter()
  const documents = parseAllDocuments(text, { lineCounter, merge: true })
  if (!Array.isArray(documents)) return []
  return documents.flatMap((document, index) => {
    // Of the first key: the document itself begins with comments or with `---`.
    const line = lineCounter.linePos(document.contents?.range?.[0] ?? document.range[0]).line
    const [error] = document.errors
    if (error) throw new ManifestError(`${source}: ${error.message.split('\n')[0] ?? 'not YAML'}`)
    const place = `${source}:${line}`
    const value = toJson(document, place)
    if (value === null || value === undefined) return []
    return objectsIn(value, place).map(object => ({ ...object, source: index === 0 ? source : place }))
  })
}

function toJson (document: { toJS: () => unknown }, source: string): unknown {
  try {
    return document.toJS()
  } catch (error) {
    // Too many aliases, which is how a small file unfolds into a large one.
    throw new ManifestError(`${source}: ${(error as Error).message}`)
  }
}

function objectsIn (value: unknown, place: string): Omit<Manifest, 'source'>[] {
  if (!isObject(value) || typeof value.apiVersion !== 'string' || typeof value.kind !== 'string') {
    throw new ManifestError(`${place}: not a Kubernetes object: apiVersion and kind must be set`)
  }
  if (Array.isArray(value.items) && value.kind.endsWith('List')) return value.items.flatMap(item => objectsIn(item, place))
  return [{ apiVersion: value.apiVersion, kind: value.kind, object: value }]
}

const isManifest = (name: string) => /\.(ya?ml|json)$/.test(name)

/** Manifest files of a folder and its subfolders, or the file itself, sorted by name. Hidden ones are passed over. */
export async function manifestFiles (path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path]
  const entries = await readdir(path, { withFileTypes: true, recursive: true })
  return entries
    .filter(entry => !entry.isDirectory() && isManifest(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
    .filter(file => !file.slice(path.length).split('/').some(part => part.startsWith('.')))
    .sort()
}

/** @throws {ManifestError} */
export async function readManifests (file: string): Promise<Manifest[]> {
  return parseManifests(await readFile(file, 'utf8'), file)
}
