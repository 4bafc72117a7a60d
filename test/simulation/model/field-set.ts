import { fieldShape, isNamed, itemShape, resolve, type Shape } from './shape.ts'
import { isTree, type Tree } from './tree.ts'

/**
 * A set of paths, by the names that `managedFields` uses: `f:field`, `k:{"key":"value"}`, `v:"value"`. It does not change once it is
 * complete.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/ (fieldsV1)
 */
export class FieldSet {
  readonly members = new Set<string>()
  readonly below = new Map<string, FieldSet>()
  #json: Tree | undefined

  get isEmpty (): boolean {
    if (this.members.size > 0) return false
    for (const set of this.below.values()) if (!set.isEmpty) return false
    return true
  }

  insert (path: readonly string[], depth = 0): void {
    const name = path[depth]
    if (name === undefined) return
    if (depth === path.length - 1) this.members.add(name)
    else this.#under(name).insert(path, depth + 1)
  }

  has (name: string): boolean { return this.members.has(name) }

  under (name: string): FieldSet | undefined { return this.below.get(name) }

  #under (name: string): FieldSet {
    const known = this.below.get(name)
    if (known) return known
    const made = new FieldSet()
    this.below.set(name, made)
    return made
  }

  union (other: FieldSet): FieldSet {
    return this.#combine(other, (mine, theirs) => mine || theirs)
  }

  intersection (other: FieldSet): FieldSet {
    return this.#combine(other, (mine, theirs) => mine && theirs)
  }

  difference (other: FieldSet): FieldSet {
    return this.#meets(other) ? this.#combine(other, (mine, theirs) => mine && !theirs) : this
  }

  /** Whether a path is in both. */
  #meets (other: FieldSet): boolean {
    for (const name of other.members) if (this.members.has(name)) return true
    for (const [name, set] of other.below) if ((this.below.get(name) ?? nothing).#meets(set)) return true
    return false
  }

  /** Without the members of `roots` and all that lies below them. */
  without (roots: FieldSet): FieldSet {
    const result = new FieldSet()
    for (const name of this.members) if (!roots.has(name)) result.members.add(name)
    for (const [name, set] of this.below) {
      if (roots.has(name)) continue
      const deeper = roots.under(name)
      const left = deeper ? set.without(deeper) : set
      if (!left.isEmpty) result.below.set(name, left)
    }
    return result
  }

  #combine (other: FieldSet, keep: (mine: boolean, theirs: boolean) => boolean): FieldSet {
    const result = new FieldSet()
    for (const name of this.members) if (keep(true, other.members.has(name))) result.members.add(name)
    for (const name of other.members) if (!this.members.has(name) && keep(false, true)) result.members.add(name)
    for (const [name, set] of this.below) {
      const combined = set.#combine(other.below.get(name) ?? nothing, keep)
      if (!combined.isEmpty) result.below.set(name, combined)
    }
    for (const [name, set] of other.below) {
      if (this.below.has(name)) continue
      const combined = nothing.#combine(set, keep)
      if (!combined.isEmpty) result.below.set(name, combined)
    }
    return result
  }

  /** A named field with content belongs to the owner of its content. */
  withNamedFields (shape: Shape): FieldSet {
    const result = new FieldSet()
    for (const name of this.members) result.members.add(name)
    for (const [name, set] of this.below) {
      const isField = name.startsWith('f:')
      const key = name.slice(2)
      const own = resolve(shape, isField ? {} : [])
      if (isField && isNamed(own, key)) result.members.add(name)
      result.below.set(name, set.withNamedFields(isField ? fieldShape(own, key) : itemShape(shape)))
    }
    return result
  }

  isEqual (other: FieldSet): boolean {
    return this.difference(other).isEmpty && other.difference(this).isEmpty
  }

  /** Every path in it, in the order of its names. */
  paths (): string[][] {
    const names = new Set([...this.members, ...this.below.keys()])
    return [...names].toSorted().flatMap(name => [
      ...(this.members.has(name) ? [[name]] : []), ...(this.below.get(name)?.paths() ?? []).map(path => [name, ...path]),
    ])
  }

  /** Encoded once. */
  toJSON (): Tree {
    this.#json ??= this.#encode()
    return this.#json
  }

  #encode (): Tree {
    const result: Tree = {}
    for (const name of this.members) result[name] = {}
    for (const [name, set] of this.below) {
      if (!set.isEmpty) result[name] = this.members.has(name) ? { '.': {}, ...set.toJSON() } : set.toJSON()
    }
    return result
  }

  static fromJSON (value: unknown): FieldSet {
    const result = new FieldSet()
    if (!isTree(value)) return result
    for (const [name, below] of Object.entries(value)) {
      if (name === '.' || !isTree(below)) continue
      const keys = Object.keys(below)
      if (keys.length === 0 || '.' in below) result.members.add(name)
      if (keys.some(key => key !== '.')) result.below.set(name, FieldSet.fromJSON(below))
    }
    return result
  }

  static of (...paths: readonly (readonly string[])[]): FieldSet {
    const result = new FieldSet()
    for (const path of paths) result.insert(path.map(key => `f:${key}`))
    return result
  }
}

const nothing = new FieldSet()

/** As a conflict names it: `.spec.containers[name="dittofs"].image`. */
export const fieldPath = (path: readonly string[]): string => path.map(name => {
  const rest = name.slice(2)
  if (name.startsWith('f:')) return `.${rest}`
  if (name.startsWith('v:')) return `[=${rest}]`
  return `[${Object.entries(JSON.parse(rest) as Tree).map(([key, value]) => `${key}=${JSON.stringify(value)}`).join()}]`
}).join('')
