import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

export interface Said { readonly code: number | string, readonly stdout: string, readonly stderr: string }

/** Runs a program to its end, whatever it ends with. */
export async function said (
  program: string, args: readonly string[], options: { readonly cwd: string, readonly env?: NodeJS.ProcessEnv },
): Promise<Said> {
  return await promisify(execFile)(program, [...args], { ...options, maxBuffer: 2 ** 24 })
    .then(({ stdout, stderr }) => ({ code: 0, stdout, stderr }), ({ code, stdout, stderr }: Said) => ({ code, stdout, stderr }))
}
