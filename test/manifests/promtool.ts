import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { programOrSkip } from '../control-plane/find-program.ts'

const noPromtool = 'no promtool, which is part of Prometheus: put it on the PATH, or its path into the variable PROMTOOL; .ci/run builds it'

/** `promtool`, or the test is skipped. */
export const promtoolOrSkip = async (t: Test): Promise<string | undefined> => await programOrSkip(t, 'promtool', noPromtool)

/** Writes the files and passes the last one to promtool; JSON is valid YAML. Resolves with the errors of promtool. */
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
