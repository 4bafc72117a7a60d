import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { cacheFolder, controllerManager, corePrograms, findBinaries, folderWith } from './binaries.ts'
import { downloadControllerManager, downloadCore, publicSources } from './download.ts'
import { withLock } from './lock.ts'
import type { Binaries, ProgramName, Unavailable } from './binaries.ts'
import type { Sources } from './download.ts'

export interface AcquisitionOptions {
  /** Whether what cannot be downloaded is built from source, which takes minutes. */
  readonly build: boolean
  /** Progress for a person. */
  readonly say: (line: string) => void
  readonly sources?: Sources
}

/**
 * All four programs: those that are on this machine; the rest downloaded into the cache, or built there if so wished.
 * Never throws because of one that cannot be had: why not is said, and it shows as missing.
 */
export async function acquireBinaries (options: AcquisitionOptions): Promise<Binaries | Unavailable> {
  const found = await findBinaries({ controllerManager: true })
  if (!('unavailable' in found)) return found
  const cache = cacheFolder()
  await withLock(`${cache}.lock`, () => options.say(`waiting for another process that fills ${cache}`), async () => await fill(cache, options))
  return await findBinaries({ controllerManager: true })
}

async function fill (cache: string, { build, say, sources = publicSources }: AcquisitionOptions): Promise<void> {
  const toBuild: ProgramName[] = []
  for (const [programs, download] of [[corePrograms, downloadCore], [[controllerManager], downloadControllerManager]] as const) {
    if (await folderWith(programs)) continue
    try {
      await download(cache, sources, say)
    } catch (error) {
      say(`${programs.join(', ')}: ${(error as Error).message}`)
      toBuild.push(...programs)
    }
  }
  if (toBuild.length === 0 || !build) return
  say(`building ${toBuild.join(', ')} from source: about 8 minutes the first time`)
  try {
    await buildFromSource(cache, toBuild)
  } catch (error) {
    say(`building from source needs Go on the PATH and a module proxy: ${(error as Error).message}`)
  }
}

async function buildFromSource (cache: string, programs: readonly ProgramName[]): Promise<void> {
  const script = fileURLToPath(new URL('build.sh', import.meta.url))
  // Standard output belongs to the caller's own answer.
  const child = spawn(script, [cache, ...programs], { stdio: ['ignore', 2, 2] })
  const [code, signal] = await once(child, 'exit') as [number | null, NodeJS.Signals | null]
  if (code !== 0) throw new Error(`build.sh ended with ${code ?? signal}`)
}
