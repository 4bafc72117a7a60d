import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The project files that a file imports, directly or indirectly. Type imports count too, so there may be more than needed, never fewer. */
export class ModuleGraph {
  readonly #imports = new Map<string, readonly string[]>()

  /** The files among these and their imports that reach one of `targets`. */
  reaching (roots: readonly string[], targets: ReadonlySet<string>): Set<string> {
    const known = new Map<string, boolean>()
    const reaches = (file: string): boolean => {
      const found = known.get(file)
      if (found !== undefined) return found
      known.set(file, targets.has(file)) // for cycles
      const does = this.#of(file).map(reaches).some(Boolean) || targets.has(file)
      known.set(file, does)
      return does
    }
    roots.forEach(reaches)
    return new Set([...known].flatMap(([file, does]) => does ? [file] : []))
  }

  #of (file: string): readonly string[] {
    const found = this.#imports.get(file) ?? (existsSync(file) ? importsIn(file) : [])
    this.#imports.set(file, found)
    return found
  }
}

const importsIn = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import) '(\.[^']+\.ts)'/g)].map(([, path = '']) => join(dirname(file), path))
