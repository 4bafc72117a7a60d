import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { findProgram } from './find-program.ts'

const noPromtool = 'no promtool, which is part of Prometheus: put it on the PATH, or its path into the variable PROMTOOL; .ci/run builds it'

/** `promtool`. Where there is none the test is skipped, with how to get it; CI takes that for a failure. */
export async function promtoolOrSkip (t: Test): Promise<string | undefined> {
  const found = await findProgram('promtool')
  if (found !== undefined) return found
  if (process.env.CI === 'true') t.fail(noPromtool)
  else t.plan(0, noPromtool)
  return undefined
}

/** Writes the files, of which the last one is given to promtool; JSON is YAML. Resolves to what it holds against them. */
export async function promtool (
  program: string, t: Test, args: readonly string[], files: Readonly<Record<string, object>>,
): Promise<string> {
  const folder = t.testdir({})
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), JSON.stringify(content))
  const { promise, resolve } = Promise.withResolvers<string>()
  const last = join(folder, Object.keys(files).at(-1) ?? '')
  execFile(program, [...args, last], { maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
    resolve(error ? `${stdout}${stderr}` || error.message : '')
  })
  return await promise
}
