import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { eventually, freePort } from '../control-plane/control-plane.ts'

export const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
export const samples = fileURLToPath(new URL('../../manifests/samples', import.meta.url))

interface Surroundings {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly input?: string
}

/** Without the environment of the user who runs the tests, in particular without a cluster. */
const environment = (env: Readonly<Record<string, string>> = {}) => ({ PATH: process.env.PATH, HOME: '/nonexistent', ...env })

export interface Outcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the program to its end, which must come within 60 s. */
export async function run (args: readonly string[], { env, cwd, input = '' }: Surroundings = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [main, ...args], { env: environment(env), cwd, timeout: 60_000, killSignal: 'SIGKILL' })
  child.stdin.on('error', () => {}) // a command that does not read it may end first
  child.stdin.end(input)
  const [stdout, stderr, [code, signal]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>])
  return { code, signal, stdout, stderr }
}

const isLogLine = (line: string) => line.startsWith('{"level":')

/** The error that users see: the lines of standard error that are not log lines, and whether they are the last ones. */
export function faultIn ({ stderr }: Outcome) {
  const lines = stderr.split('\n').filter(Boolean)
  return { lines: lines.filter(line => !isLogLine(line)), isLast: !isLogLine(lines.at(-1) ?? '') }
}

/** The program as a server, killed with the test. */
export async function serve (t: Pick<Test, 'teardown'>, args: readonly string[], { env, cwd }: Surroundings = {}) {
  const [port, healthPort] = [await freePort(), await freePort()]
  const child = spawn(process.execPath, [main, 'serve', '--port', String(port), '--health-port', String(healthPort), ...args], {
    env: environment(env), cwd, stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => { stdout += String(chunk) })
  child.stderr.on('data', chunk => { stderr += String(chunk) })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const said = async (what: RegExp) => await eventually(async () => what.exec(stdout) ?? undefined, `${what}; it said:\n${stdout}\n${stderr}`, 60_000)
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${healthPort}${path}`, { signal: AbortSignal.timeout(5_000) })
    return { status: response.status, body: await response.text() }
  }
  const logs = () => stderr.split('\n').filter(isLogLine).map(line => JSON.parse(line) as Record<string, unknown>)
  return { child, port, healthPort, exited, said, get, logs, stdout: () => stdout, stderr: () => stderr }
}
