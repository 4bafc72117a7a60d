import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Program } from './program.ts'
import { startUndertaker } from './undertaker.ts'
import type { ProgramOptions } from './program.ts'

/** Programs that live no longer than this process, with their logs in `folder`. */
export function programsIn (folder: string) {
  const undertaker = startUndertaker(folder)
  const programs: Program[] = []
  const onSpawn = () => undertaker.watch(programs.flatMap(({ pid }) => pid ?? []))
  return {
    program: (
      name: string, path: string, args: readonly string[], isReady: ProgramOptions['isReady'], as: Pick<ProgramOptions, 'process' | 'endBy'> = {},
    ) => {
      const made = new Program({ path, args, log: join(folder, `${name}.log`), isReady, onSpawn, ...as })
      programs.push(made)
      return made
    },
    stop: async () => {
      // Programs that need others end first.
      for (const one of programs.toReversed()) await one.close()
      undertaker.dismiss()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
