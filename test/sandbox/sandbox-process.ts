import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { eventually } from '../control-plane/control-plane.ts'

export const root = fileURLToPath(new URL('../../', import.meta.url))
/** It may wait for another one, or for a test, that runs a DittoFS server. */
const patience = 240_000
/** tap adds options for Node to the environment of every child. */
export const environment = { PATH: process.env.PATH, HOME: process.env.HOME, XDG_CACHE_HOME: process.env.XDG_CACHE_HOME, NODE_OPTIONS: '' }

/** A process of the sandbox whose output is kept. */
export function startProcess (t: Test, [program = '', ...args]: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(program, args, { cwd: root, env: { ...environment, ...env }, stdio: 'pipe' })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => { output += String(chunk) })
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await exited
  })
  /** The text so far, as a terminal shows it. */
  const said = () => output.replaceAll('\r\n', '\n').split('\n').map(line => line.split('\r\u001B[2K').at(-1)).join('\n')
  const until = async (wanted: RegExp) => await eventually(async () => {
    const found = wanted.exec(said())
    if (!found && child.exitCode !== null) throw new Error('it has ended')
    return found ?? undefined
  }, String(wanted), patience).catch((error: unknown) => { throw new Error(`${(error as Error).message}; it said:\n${said()}`) })
  const folder = async () => dirname((await until(/^export KUBECONFIG=(.*)$/m))[1] ?? '')
  return { child, exited, said, until, folder }
}

/** In a terminal, which knows Ctrl-C. `command` is a line of a shell. */
export const inTerminal = (command: string) => ['script', '--quiet', '--flush', '--return', '--command', command, '/dev/null']
export const ctrlC = '\u0003'

/** The PATH that the guide of a sandbox asks for. */
export const pathOf = (guide: string) =>
  (/^export PATH="(.*)"$/m.exec(guide)?.[1] ?? '$PATH').replace('$PATH', process.env.PATH ?? '')
