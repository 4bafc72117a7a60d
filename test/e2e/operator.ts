import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { eventually, freePort } from '../control-plane/control-plane.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export type LogLine = Record<string, unknown> & { msg?: string, level?: string }

/**
 * The operator as a separate process, with parsed log lines. Ends with the test. `program`: arguments of Node, its flags and the file to
 * run; by default the sources.
 */
export async function startOperator (
  t: Pick<Test, 'teardown'>, args: readonly string[], env: NodeJS.ProcessEnv = {}, program: readonly string[] = [main],
) {
  const healthPort = await freePort()
  const child = spawn(process.execPath, [...program, 'serve', '--health-port', String(healthPort), '--host', '127.0.0.1', ...args], {
    env: { PATH: process.env.PATH, DITTOFS_OPERATOR_DRAIN_PERIOD: '0', ...env }, stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  const lines: LogLine[] = []
  const said: string[] = []
  createInterface({ input: child.stderr }).on('line', line => {
    said.push(line)
    try {
      lines.push(JSON.parse(line) as LogLine)
    } catch {
      lines.push({ msg: line })
    }
  })
  let stdout = ''
  child.stdout.on('data', chunk => { stdout += String(chunk) })
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await exited
  })
  const get = async (path: string) => await fetch(`http://127.0.0.1:${healthPort}${path}`).then(async response => ({ status: response.status, text: await response.text() }), () => ({ status: 0, text: '' }))
  return {
    child,
    healthPort,
    lines,
    said,
    exited,
    get,
    stdout: () => stdout,
    ready: async (milliseconds = 90_000) => await eventually(async () => (await get('/readyz')).status === 200, 'ready', milliseconds)
      .catch(async (error: unknown) => {
        const { text } = await get('/readyz')
        throw new Error(`${(error as Error).message}; /readyz: ${text}; it said:\n${said.slice(-5).join('\n')}`)
      }),
  }
}
