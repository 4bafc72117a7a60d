import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

// What the image starts, and so what users run: the flags of Node, and the bundle.

const repository = fileURLToPath(new URL('..', import.meta.url))

export async function imageFlags (): Promise<string[]> {
  const entry = /^ENTRYPOINT (\[.*\])$/m.exec(await readFile(join(repository, 'Dockerfile'), 'utf8'))?.[1]
  return (JSON.parse(entry ?? '[]') as string[]).filter(word => word.startsWith('--'))
}

/** Makes the bundle in a folder, and resolves with its path. */
export async function makeBundle (folder: string): Promise<string> {
  const program = join(folder, 'dittofs-operator.mjs')
  await promisify(execFile)(process.execPath, ['.config/bundle.ts', program], { cwd: repository })
  return program
}
