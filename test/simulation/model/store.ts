import type { ModelKind } from './kind.ts'
import { qualifiedResource } from './kind.ts'
import { at, withLeaf, type Tree } from './tree.ts'

export interface Change {
  readonly version: number
  readonly kind: ModelKind
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: Tree
  /** For a change or a deletion, the previous state. */
  readonly previous: Tree | undefined
}

export type ChangeListener = (change: Change) => void

export const keyOf = (namespace: string, name: string) => namespace === '' ? name : `${namespace}/${name}`
export const objectKeyOf = (object: Tree) => keyOf(String(at(object, 'metadata', 'namespace') ?? ''), String(at(object, 'metadata', 'name')))
export const versionOf = (object: Tree) => Number(at(object, 'metadata', 'resourceVersion') ?? 0)
const withVersion = (object: Tree, version: number) => withLeaf(object, ['metadata', 'resourceVersion'], String(version))

/** The content of etcd: every object in its current state, one sequence of versions for all of them, and the recent changes. */
export class Store {
  readonly #objects = new Map<string, Map<string, Tree>>()
  readonly #history: Change[] = []
  readonly #listeners = new Set<ChangeListener>()
  #version = 1
  #compacted = 0

  get version (): number { return this.#version }
  /** Changes up to this version are forgotten. */
  get compacted (): number { return this.#compacted }

  get (kind: ModelKind, namespace: string, name: string): Tree | undefined {
    return this.#of(kind).get(keyOf(namespace, name))
  }

  list (kind: ModelKind): Tree[] { return [...this.#of(kind).values()] }

  put (kind: ModelKind, object: Tree): Tree {
    const stored = withVersion(object, ++this.#version)
    const key = objectKeyOf(stored)
    const previous = this.#of(kind).get(key)
    this.#of(kind).set(key, stored)
    this.#tell({ version: this.#version, kind, type: previous ? 'MODIFIED' : 'ADDED', object: stored, previous })
    return stored
  }

  remove (kind: ModelKind, object: Tree): Tree {
    const key = objectKeyOf(object)
    const previous = this.#of(kind).get(key)
    if (!previous) throw new Error(`${key} is not there`)
    this.#of(kind).delete(key)
    const last = withVersion(previous, ++this.#version)
    this.#tell({ version: this.#version, kind, type: 'DELETED', object: last, previous })
    return last
  }

  /** Compacts the history: a watch from an earlier version must list again. */
  compact (): void {
    this.#compacted = this.#version
    this.#history.length = 0
  }

  /** The changes after a version. Undefined: some of them are forgotten. */
  since (version: number): Change[] | undefined {
    if (version < this.#compacted) return undefined
    // The versions rise, and few watches begin far back.
    const last = this.#history.findLastIndex(change => change.version <= version)
    return this.#history.slice(last + 1)
  }

  onChange (listener: ChangeListener): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  #of (kind: ModelKind): Map<string, Tree> {
    const resource = qualifiedResource(kind)
    const known = this.#objects.get(resource)
    if (known) return known
    const made = new Map<string, Tree>()
    this.#objects.set(resource, made)
    return made
  }

  #tell (change: Change): void {
    this.#history.push(change)
    for (const listener of [...this.#listeners]) listener(change)
  }
}
