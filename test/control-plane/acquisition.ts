import { fileURLToPath } from 'node:url'
import { cacheFolder, corePrograms, findBinaries, folderWith, optionalPrograms } from './binaries.ts'
import { downloadCore, downloadRelease, publicSources } from './download.ts'
import { withLock } from './lock.ts'
import { runBuild } from './run-build.ts'
import type { Binaries, ProgramName, Unavailable } from './binaries.ts'
import type { Sources } from './download.ts'

export interface AcquisitionOptions {
  /** Whether to build programs that cannot be downloaded, which takes minutes. */
  readonly build: boolean
  /** Progress for a person. */
  readonly say: (line: string) => void
  readonly sources?: Sources
  /** Ends a build that is under way. */
  readonly signal?: AbortSignal
}

const everything = { controllerManager: true, scheduler: true } as const

/**
 * All five programs: those on this machine; the rest is downloaded into the cache, or optionally built there. Never throws if a program is
 * unavailable: the reason is printed, and the program counts as missing.
 */
export async function acquireBinaries (options: AcquisitionOptions): Promise<Binaries | Unavailable> {
  const found = await findBinaries(everything)
  if (!('unavailable' in found)) return found
  const cache = cacheFolder()
  await withLock(`${cache}.lock`, () => options.say(`waiting for another process that fills ${cache}`), async () => await fill(cache, options),
    options.signal)
  return await findBinaries(everything)
}

async function fill (cache: string, { build, say, sources = publicSources, signal }: AcquisitionOptions): Promise<void> {
  const toBuild: ProgramName[] = []
  const downloads = [
    { programs: corePrograms, download: async () => { await downloadCore(cache, sources, say) } },
    ...optionalPrograms.map(program =>
      ({ programs: [program], download: async () => { await downloadRelease(program, cache, sources, say) } })),
  ]
  for (const { programs, download } of downloads) {
    if (await folderWith(programs)) continue
    try {
      await download()
    } catch (error) {
      say(`${programs.join(', ')}: ${(error as Error).message}`)
      toBuild.push(...programs)
    }
  }
  if (toBuild.length === 0 || !build) return
  say(`building ${toBuild.join(', ')} from source: about 8 minutes the first time`)
  try {
    await buildFromSource(cache, toBuild, signal)
  } catch (error) {
    say(`building from source needs Go on the PATH and a module proxy: ${(error as Error).message}`)
  }
}

async function buildFromSource (cache: string, programs: readonly ProgramName[], signal?: AbortSignal): Promise<void> {
  await runBuild(fileURLToPath(new URL('build.sh', import.meta.url)), [cache, ...programs], {}, signal)
}
