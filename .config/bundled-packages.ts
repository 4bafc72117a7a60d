import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'

/** The fields of a package.json that are used. */
export interface PackageJson {
  readonly name: string
  readonly version: string
  readonly license?: string
  readonly author?: string | { readonly name?: string }
}

/** A package with at least one byte in the bundle. */
export interface BundledPackage {
  /** Its folder, relative to the root of the project. */
  readonly folder: string
  readonly manifest: PackageJson
  /** Folders of the bundled packages that it loads. */
  readonly loads: readonly string[]
  /** Whether the sources of this project load it directly. */
  readonly isDirect: boolean
}

/** `node_modules/a/node_modules/@b/c` for `node_modules/a/node_modules/@b/c/lib/d.js`. Undefined: the file is a source of this project. */
export const packageFolder = (path: string): string | undefined => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]

/** The packages that esbuild has put into the bundle, by folder. */
export async function bundledPackages ({ inputs, outputs }: Metafile): Promise<readonly BundledPackage[]> {
  const isIncluded = new Set(Object.values(outputs)
    .flatMap(output => Object.entries(output.inputs)).filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path))
  const loads = new Map<string | undefined, Set<string>>()
  const folders = new Set<string>()
  for (const path of isIncluded) {
    const folder = packageFolder(path)
    if (folder !== undefined) folders.add(folder)
    const loaded = loads.get(folder) ?? new Set()
    for (const { path: other } of inputs[path]?.imports ?? []) {
      const otherFolder = packageFolder(other)
      if (otherFolder !== undefined && otherFolder !== folder && isIncluded.has(other)) loaded.add(otherFolder)
    }
    loads.set(folder, loaded)
  }
  return await Promise.all([...folders].sort().map(async folder => ({
    folder,
    manifest: JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as PackageJson,
    loads: [...loads.get(folder) ?? []].sort(),
    isDirect: loads.get(undefined)?.has(folder) ?? false,
  })))
}
