import { delimiter, dirname, join } from 'node:path'
import type { Test } from 'tap'
import { cacheFolder, isExecutable } from './binaries.ts'
import { skipOrFail } from './skip-or-fail.ts'

/** A program from the variable of its name in capitals, the PATH, or the cache. */
export async function findProgram (name: string): Promise<string | undefined> {
  const variable = process.env[name.toUpperCase().replaceAll('-', '_')] ?? ''
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), join(dirname(cacheFolder()), name)]
  for (const path of [variable, ...folders.map(folder => join(folder, name))]) {
    if (path && await isExecutable(path)) return path
  }
  return undefined
}

/** The same. Where there is none the test is skipped with `otherwise`, which says how to get it; CI takes that for a failure. */
export async function programOrSkip (t: Test, name: string, otherwise: string): Promise<string | undefined> {
  return await findProgram(name) ?? skipOrFail(t, otherwise)
}
