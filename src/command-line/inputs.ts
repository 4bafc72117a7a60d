import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { manifestFiles } from '../embedded/manifest-files.ts'
import { manifestsIn, readManifests, textOf, type Manifest, type Unreadable } from '../embedded/manifests.ts'
import { UsageError } from './fault.ts'
import type { Terminal } from './terminal.ts'

export const standardInput = 'standard input'

/**
 * The manifests in files, in folders, and, for `-`, in standard input; each file once, even if it is given several times. `namespace`: for
 * objects without one. @throws {UsageError} that names `setting`, for a file that cannot be read
 */
export async function readInputs (
  paths: readonly string[], setting: string, namespace: string, { input }: Terminal,
): Promise<(Manifest | Unreadable)[]> {
  try {
    const files = new Map<string, string>()
    for (const path of paths) {
      for (const file of path === '-' ? ['-'] : await manifestFiles(path)) {
        const key = file === '-' ? file : resolve(file)
        if (!files.has(key)) files.set(key, file)
      }
    }
    return (await Promise.all([...files.values()].map(async file => await readInput(file, namespace, input)))).flat()
  } catch (error) {
    throw new UsageError(`${setting}: ${(error as Error).message}`)
  }
}

const readInput = async (file: string, namespace: string, input: Readable) => file === '-'
  ? manifestsIn(textOf(await buffer(input)), standardInput, namespace)
  : await readManifests(file, namespace)
