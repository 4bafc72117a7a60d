import { text } from 'node:stream/consumers'
import { group, kind } from '../dittoserver/api.ts'
import { ManifestError, manifestFiles, parseManifests, readManifests, type Manifest } from '../embedded/manifests.ts'
import { UsageError } from './fault.ts'

/** Objects of files, folders, and `-` for standard input. @throws {UsageError} that names `setting`, or file and line */
export async function readAll (paths: readonly string[], setting: string): Promise<Manifest[]> {
  const read = async (path: string): Promise<Manifest[]> => {
    if (path === '-') return parseManifests(await text(process.stdin), 'standard input')
    return (await Promise.all((await manifestFiles(path)).map(readManifests))).flat()
  }
  try {
    return (await Promise.all(paths.map(read))).flat()
  } catch (error) {
    if (error instanceof ManifestError) throw new UsageError(error.message)
    throw new UsageError(`${setting}: ${(error as Error).message}`)
  }
}

export const isDittoServer = (manifest: Manifest): boolean => manifest.kind === kind && manifest.apiVersion.startsWith(`${group}/`)
