import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, constants, copyFile, mkdir, mkdtemp, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import type { Outcome } from './program.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))

/** Whom the image and the Deployment run it as. */
export const nobody = 65532

/** Whether everybody may run a program, and enter every folder above it. */
async function isForEverybody (program: string): Promise<boolean> {
  for (let path = program; path !== dirname(path); path = dirname(path)) {
    if (((await stat(path)).mode & constants.S_IXOTH) === 0) return false
  }
  return true
}

/**
 * The program as in the image: one file and its source map, an empty working folder, an empty environment, an unprivileged user. The Node
 * permission model denies all other file reads, all writes, child processes, threads and native code.
 */
export async function buildImage (t: Pick<Test, 'teardown'>) {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'image-')))
  t.teardown(async () => { await rm(root, { recursive: true, force: true }) })
  await chmod(root, 0o755)
  const [program, cwd] = [join(root, 'app', 'dittofs-operator.mjs'), join(root, 'empty')]
  await mkdir(cwd)
  const build = await promisify(execFile)(process.execPath, ['.config/bundle.ts', program], { cwd: repository })
  let node = await realpath(process.execPath)
  if (!await isForEverybody(node)) {
    await copyFile(node, join(root, 'node'), constants.COPYFILE_FICLONE)
    node = join(root, 'node')
  }
  // Only root can change the user.
  const user = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}

  const start = (args: readonly string[], readable: readonly string[] = [], more: readonly string[] = []) => {
    const flags = [program, `${program}.map`, ...readable].map(path => `--allow-fs-read=${path}`)
    // Not by spawn's `env`: tap adds options for Node to that.
    return spawn('/usr/bin/env', ['-i', node, '--permission', ...flags, ...more, program, ...args], { cwd, ...user, stdio: 'pipe' })
  }
  return {
    root,
    program,
    said: build.stdout,
    start,
    /** `flags`: of Node. */
    run: async (args: readonly string[], input = '', flags: readonly string[] = []): Promise<Outcome> => {
      const child = start(args, [], flags)
      const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
      child.stdin.on('error', () => {}) // a command that does not read it may end first
      child.stdin.end(input)
      const [stdout, stderr, [code, signal]] = await Promise.all([
        text(child.stdout), text(child.stderr), once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
      ])
      clearTimeout(timer)
      return { code, signal, stdout, stderr }
    },
    /** A file that this user can read, as those of a volume. */
    provide: async (name: string, content: string) => {
      const path = join(root, name)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, content)
      return path
    },
  }
}

export type Image = Awaited<ReturnType<typeof buildImage>>
