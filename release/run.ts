import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Runs a program to its end and resolves with its output. @throws its standard error */
export async function run (program: string, args: readonly string[], cwd = '.'): Promise<string> {
  const { stdout } = await promisify(execFile)(program, [...args], { cwd, maxBuffer: 2 ** 26 })
  return stdout
}

/** Whether a program exists and succeeds. */
export const works = async (program: string, ...args: readonly string[]): Promise<boolean> =>
  await run(program, args).then(() => true, () => false)
