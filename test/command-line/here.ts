import { Readable } from 'node:stream'
import { run } from '../../src/command-line/program.ts'

export interface Said { readonly code: number, readonly stdout: string, readonly stderr: string }

/** Runs a short command in this process, without the environment of the user who runs the tests. */
export async function runHere (args: readonly string[], { input = '', env = {} }: { input?: string | Buffer, env?: NodeJS.ProcessEnv } = {}): Promise<Said> {
  let stdout = ''
  let stderr = ''
  const before = process.env
  process.env = { PATH: before.PATH, HOME: '/nonexistent', ...env }
  try {
    const code = await run(args, {
      input: Readable.from(input.length === 0 ? [] : [Buffer.from(input)]),
      print: text => { stdout += text },
      say: line => { stderr += `${line}\n` },
    })
    return { code, stdout, stderr }
  } finally {
    process.env = before
  }
}
