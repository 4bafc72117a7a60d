import { readFile } from 'node:fs/promises'
import { readMetadata } from '../dittoserver/metadata.ts'
import { isObject } from '../dittoserver/structural.ts'
import { documentsIn, isBroken, type Duplicate, type Position } from './documents.ts'

/** One object of a manifest, and its position. */
export interface Manifest extends Place {
  readonly apiVersion: string
  readonly kind: string
  readonly object: Readonly<Record<string, unknown>>
  /** Empty if the object has no name, or the name is not a string. */
  readonly name: string
  /** The namespace of the object, or the default one; meaningless for a cluster-scoped object. */
  readonly namespace: string
  /** The line of a field, or of its nearest existing parent. */
  readonly lineOf: (field: string) => number
  /** The same place, with its column. */
  readonly positionOf: (field: string) => Position
  /** Keys that occur twice in a map of the document. */
  readonly duplicates: () => readonly Duplicate[]
}

/** A document that is not a Kubernetes object. */
export interface Unreadable extends Place { readonly problem: string }

export interface Place {
  readonly file: string
  readonly line: number
  /** `file.yaml`; from the second document of a file on, `file.yaml:12`. */
  readonly source: string
}

/** A text that contains something other than Kubernetes objects. The message contains the file and the line. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError'
}

/** The namespace of objects that do not name one, as in kubectl. */
export const defaultNamespace = 'default'

/** The core group has no name: `v1`. */
export const groupOf = ({ apiVersion }: Pick<Manifest, 'apiVersion'>) => apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''

export const isUnreadable = (found: Manifest | Unreadable): found is Unreadable => 'problem' in found
export const isManifest = (found: Manifest | Unreadable): found is Manifest => !isUnreadable(found)

/** The objects in a text with one or more documents. Lists are split into their items, and empty documents are skipped. */
export function manifestsIn (text: string, file: string, namespace = defaultNamespace): (Manifest | Unreadable)[] {
  return documentsIn(text).flatMap((document, index): (Manifest | Unreadable)[] => {
    const place = { file, line: document.line, source: index === 0 ? file : `${file}:${document.line}` }
    if (isBroken(document)) return [{ ...place, source: `${file}:${document.line}`, problem: document.problem }]
    return objectsIn(document.value, '').map(({ object, path, problem }) => {
      const here = path === '' ? place : { ...place, line: document.lineOf(path) }
      if (problem !== undefined) return { ...here, source: `${file}:${here.line}`, problem }
      const { name, namespace: given } = readMetadata(object.metadata)
      return {
        ...here,
        apiVersion: object.apiVersion as string,
        kind: object.kind as string,
        object,
        name,
        namespace: given || namespace,
        lineOf: field => document.lineOf(path === '' ? field : `${path}.${field}`),
        positionOf: field => document.positionOf(path === '' ? field : `${path}.${field}`),
        duplicates: document.duplicates,
      }
    })
  })
}

/** All objects in a text. @throws {ManifestError} for a document that is not an object */
export function parseManifests (text: string, file: string, namespace = defaultNamespace): Manifest[] {
  return manifestsIn(text, file, namespace).map(found => {
    if (isUnreadable(found)) throw new ManifestError(`${found.source}: ${found.problem}`)
    return found
  })
}

interface Found { readonly object: Readonly<Record<string, unknown>>, readonly path: string, readonly problem?: string }

/** Like kubectl: an object with `items` is a list. Its kind without the suffix `List` is the default kind of its items. */
function objectsIn (value: unknown, path: string): Found[] {
  if (!isObject(value)) return [{ object: {}, path, problem: 'not a Kubernetes object' }]
  const { apiVersion, kind, items } = value
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || apiVersion === '' || kind === '') {
    return [{ object: value, path, problem: 'not a Kubernetes object: apiVersion and kind must be set' }]
  }
  if (!Array.isArray(items)) return [{ object: value, path }]
  const lent = kind.endsWith('List') && kind !== 'List' ? { apiVersion, kind: kind.slice(0, -'List'.length) } : {}
  return items.flatMap((item: unknown, index) => objectsIn(isObject(item) ? { ...lent, ...item } : item, `${path === '' ? '' : `${path}.`}items[${index}]`))
}

/** All objects in a file. Rejects if the file cannot be read. */
export async function readManifests (file: string, namespace = defaultNamespace): Promise<(Manifest | Unreadable)[]> {
  return manifestsIn(textOf(await readFile(file)), file, namespace)
}

const byteOrderMarks: readonly (readonly [string, readonly number[]])[] = [['utf-16le', [0xff, 0xfe]], ['utf-16be', [0xfe, 0xff]]]

/** UTF-8, unless there is a byte order mark for another encoding, as in kubectl and in Windows tools. */
export function textOf (bytes: Uint8Array): string {
  const [encoding = 'utf-8'] = byteOrderMarks.find(([, mark]) => mark.every((byte, index) => bytes[index] === byte)) ?? []
  return new TextDecoder(encoding).decode(bytes)
}
