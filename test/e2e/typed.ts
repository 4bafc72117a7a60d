import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'
import { eventually } from '../control-plane/control-plane.ts'

/** A program on a real terminal, which util-linux's `script` makes. Ends with the test. */
export function onTerminal (t: Pick<Test, 'teardown'>, command: string, env: NodeJS.ProcessEnv) {
  // In a group of its own: `script` ends its whole group when the program ends badly.
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    env: { TERM: 'xterm-256color', SHELL: '/bin/sh', ...env }, stdio: ['pipe', 'pipe', 'inherit'], detached: true,
  })
  const exited = once(child, 'close') as Promise<[number | null]>
  let text = ''
  child.stdout.on('data', chunk => { text += String(chunk) })
  child.stdin.on('error', () => {}) // it may have ended
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  return {
    /** As keys are pressed. */
    type: (keys: string) => { child.stdin.write(keys) },
    /** Everything that the terminal received. */
    text: () => text,
    /** Until it has received this, after the first `from` characters. */
    shows: async (what: RegExp, from = 0) => await eventually(async () => what.exec(text.slice(from)) ?? undefined, String(what), 60_000)
      .catch((error: unknown) => { throw new Error(`${(error as Error).message}; it shows: ${JSON.stringify(text.slice(-3000))}`) }),
    exited,
  }
}
