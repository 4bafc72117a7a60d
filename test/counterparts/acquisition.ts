import { execFile } from 'node:child_process'
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { withLock } from '../control-plane/lock.ts'
import { runBuild } from '../control-plane/run-build.ts'
import { allNames, counterpartsCache, findCounterparts, moduleNames, modules, namesOf } from './counterparts.ts'
import type { Unavailable } from '../control-plane/binaries.ts'
import type { CounterpartName, Module, ModuleName } from './counterparts.ts'

// These programs are published only as container images, so they are built. This needs Go, a module proxy, and a C compiler for the Percona
// operator, which parses SQL with a C library. It takes 3 to 5 minutes on 2 cores for all programs.

/**
 * Counterparts, all unless some are named: those that are on this machine; the rest built into the cache. Never throws because of one that
 * cannot be built: why not is said, and it shows as missing. The signal ends a build that is under way.
 */
export async function acquireCounterparts (
  say: (line: string) => void, names: readonly CounterpartName[] = allNames, signal?: AbortSignal,
): Promise<Readonly<Partial<Record<CounterpartName, string>>> | Unavailable> {
  const found = await findCounterparts(names)
  if (!('unavailable' in found)) return found
  const cache = counterpartsCache()
  await withLock(`${cache}.lock`, () => say(`waiting for another process that fills ${cache}`), async () => {
    for (const module of moduleNames) {
      const wanted = namesOf(module).filter(name => names.includes(name))
      if (!('unavailable' in await findCounterparts(wanted))) continue
      say(`building ${module} from source: 1 to 4 minutes the first time`)
      await build(module, join(cache, module), signal).catch((error: unknown) => say(`${module}: ${(error as Error).message}`))
    }
  }, signal)
  return await findCounterparts(names)
}

async function build (name: ModuleName, out: string, signal?: AbortSignal): Promise<void> {
  const { module, programs, files, variables = {}, edits = {} }: Module = modules[name]
  await mkdir(out, { recursive: true })
  const source = await download(module)
  const linking = ['-s -w', ...Object.entries(variables).map(([variable, value]) => `-X ${variable}=${value}`)].join(' ')
  await withEdits(source, edits, async folder => {
    for (const [program, path] of Object.entries(programs)) {
      await complete(join(out, program), async part =>
        await runBuild('go', ['build', '-C', folder, '-trimpath', '-buildvcs=false', '-ldflags', linking, '-o', part, path], { GOWORK: 'off' }, signal))
    }
  })
  for (const [file, path] of Object.entries(files)) {
    await complete(join(out, file), async part => {
      await copyFile(join(source, path), part)
      await chmod(part, 0o644) // The module cache is read-only.
    })
  }
}

/** The module cache may be read-only, and must not be changed. @throws if the text to be replaced does not exist */
async function withEdits (source: string, edits: NonNullable<Module['edits']>, work: (folder: string) => Promise<void>): Promise<void> {
  if (Object.keys(edits).length === 0) return await work(source)
  const temporary = await mkdtemp(join(tmpdir(), 'edited-'))
  const copy = join(temporary, 'source')
  try {
    await runBuild('cp', ['-R', source, copy])
    await runBuild('chmod', ['-R', 'u+w', copy])
    for (const [path, [text, instead]] of Object.entries(edits)) {
      const parts = (await readFile(join(copy, path), 'utf8')).split(text)
      if (parts.length !== 2) throw new Error(`${path} has '${text}' ${parts.length - 1} times`)
      await writeFile(join(copy, path), parts.join(instead))
    }
    await work(copy)
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

/** The folder of a module's source. */
async function download (module: string): Promise<string> {
  // Not in this repository, whose folders have modules of their own.
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', module], { cwd: tmpdir(), env: { ...process.env, GOWORK: 'off' } })
  return (JSON.parse(stdout) as { Dir: string }).Dir
}

/** A file appears under its name when it is whole. */
async function complete (path: string, write: (part: string) => Promise<void>): Promise<void> {
  const part = `${path}.part.${process.pid}`
  try {
    await write(part)
    await rename(part, path)
  } finally {
    await rm(part, { force: true })
  }
}
