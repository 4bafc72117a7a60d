import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { basename } from 'node:path'

/**
 * Runs a build program. Its output goes to standard error, because standard output belongs to the caller. With a signal, the program and
 * those that it started end at the signal.
 */
export async function runBuild (
  program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}, signal?: AbortSignal,
): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 2, 2], env: { ...process.env, ...env }, detached: signal !== undefined })
  const abort = () => { if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM') }
  signal?.addEventListener('abort', abort)
  const [code, name] = await (once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>)
    .finally(() => { signal?.removeEventListener('abort', abort) })
  if (code !== 0) throw new Error(`${basename(program)} ended with ${code ?? name}`)
}
