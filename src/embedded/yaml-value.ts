import { deepestNesting } from './json-stream.ts'
import { isAlias, isMap, isScalar, isSeq, type Pair, type ParsedNode, type YAMLMap } from 'yaml'

/** An error for a document that is valid YAML, but that kubectl refuses, or that would expand without limit. */
export class ValueError extends Error {
  override readonly name = 'ValueError'
  readonly node: Node | undefined

  constructor (message: string, node: Node | undefined) {
    super(message)
    this.node = node
  }
}

type Node = ParsedNode | null

/** A key that occurs twice in a map. */
export interface Duplicate { readonly key: string, readonly node: Node }

/** Maximum number of nodes that all aliases together may expand to, so that a small text does not expand into a large object. */
const mostAliased = 400_000

/** Escapes that YAML 1.2 adopted from JSON: the slash, and surrogates. */
const newEscape = /(?<!\\)(?:\\\\)*\\(?:\/|u[dD][89a-fA-F])/

/** `size`: total number of nodes; `height`: levels of nesting. */
interface Anchored { readonly value: unknown, readonly size: number, readonly height: number }

/** The JSON value of a YAML document, by the rules of kubectl: of two equal keys the last one counts, and `<<` merges override as well. */
export class ValueReader {
  readonly duplicates: Duplicate[] = []
  readonly #text: string
  readonly #anchors = new Map<string, Anchored | 'open'>()
  #nodes = 0
  #depth = 0
  #deepest = 0
  #aliased = 0

  /** `text`: the source of the nodes. */
  constructor (text: string) {
    this.#text = text
  }

  /** @throws {ValueError} */
  read (node: Node): unknown {
    this.#nodes++
    if (node === null) return null
    if (isAlias(node)) return this.#alias(node)
    this.#reach(++this.#depth, node)
    const value = this.#anchored(node)
    this.#depth--
    return value
  }

  #anchored (node: Exclude<Node, null>): unknown {
    const { anchor } = node
    if (anchor === undefined) return this.#content(node)
    this.#anchors.set(anchor, 'open')
    const [nodes, deepest] = [this.#nodes, this.#deepest]
    this.#deepest = this.#depth
    const value = this.#content(node)
    this.#anchors.set(anchor, { value, size: this.#nodes - nodes, height: this.#deepest - this.#depth + 1 })
    this.#deepest = Math.max(this.#deepest, deepest)
    return value
  }

  #reach (depth: number, node: Node): void {
    if (depth > deepestNesting) throw new ValueError('nested too deeply', node)
    this.#deepest = Math.max(this.#deepest, depth)
  }

  #content (node: Exclude<Node, null>): unknown {
    if (isMap(node)) return Object.fromEntries(this.#entries(node))
    if (isSeq(node)) return node.items.map(item => this.read(item as Node))
    const { value, type } = node as { value: unknown, type?: string }
    if (type === 'QUOTE_DOUBLE') {
      const [unknown] = newEscape.exec(this.#text.slice(node.range[0], node.range[1])) ?? []
      if (unknown) throw new ValueError('unknown escape in a quoted text', node)
    }
    if (typeof value === 'number' && !Number.isFinite(value)) throw new ValueError(`JSON has no number ${value}`, node)
    return typeof value === 'symbol' ? '<<' : value
  }

  #alias (node: Node & { source: string }): unknown {
    const anchored = this.#anchors.get(node.source)
    if (anchored === undefined) throw new ValueError(`unknown anchor '${node.source}'`, node)
    if (anchored === 'open') throw new ValueError(`anchor '${node.source}' contains itself`, node)
    this.#reach(this.#depth + anchored.height, node)
    this.#aliased += anchored.size
    this.#nodes += anchored.size
    if (this.#aliased > mostAliased) throw new ValueError('aliases expand to too many nodes', node)
    return anchored.value
  }

  #entries (map: YAMLMap): Map<string, unknown> {
    const entries = new Map<string, unknown>()
    const given = new Set<string>()
    for (const { key, value } of map.items as Pair<ParsedNode, Node>[]) {
      if (isMergeKey(key)) {
        for (const [merged, inner] of this.#merged(value)) entries.set(merged, inner)
        continue
      }
      const name = this.#key(key)
      if (given.has(name)) this.duplicates.push({ key: name, node: key })
      given.add(name)
      entries.set(name, this.read(value))
    }
    return entries
  }

  #key (node: Node): string {
    const key = this.read(node)
    if (typeof key === 'string') return key
    if (typeof key === 'number' || typeof key === 'boolean') return String(key)
    throw new ValueError(key === null ? 'a key must not be null' : 'a key must not be a list or a map', node)
  }

  /** If several maps are merged, the earlier ones take precedence. */
  #merged (node: Node): [string, unknown][] {
    const values = isSeq(node) ? node.items.map(item => this.read(item as Node)).reverse() : [this.read(node)]
    return values.flatMap(value => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ValueError("'<<' merges maps only", node)
      return Object.entries(value)
    })
  }
}

const isMergeKey = (key: unknown) => isScalar(key) && key.source === '<<' && key.type === 'PLAIN'
