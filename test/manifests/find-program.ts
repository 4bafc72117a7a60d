import { access, constants } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { cacheFolder } from '../control-plane/binaries.ts'

const isExecutable = async (path: string) => await access(path, constants.X_OK).then(() => true, () => false)

/** A program from the variable of its name in capitals, the PATH, or the cache. */
export async function findProgram (name: string): Promise<string | undefined> {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), join(dirname(cacheFolder()), name)]
  for (const path of [process.env[name.toUpperCase()] ?? '', ...folders.map(folder => join(folder, name))]) {
    if (path && await isExecutable(path)) return path
  }
  return undefined
}
