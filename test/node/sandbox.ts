import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Readable } from 'node:stream'

const script = fileURLToPath(new URL('sandbox.sh', import.meta.url))

/** Whether this process may change users, and needs no user namespace to mount. */
export const isRoot = process.getuid?.() === 0

/** Where a folder or file of this machine shows inside. */
export interface Mount { readonly source: string, readonly target: string, readonly readOnly: boolean }

export interface SandboxOptions {
  /** A folder for this sandbox: its root directory is mounted there, only in the process's own mount namespace. */
  readonly folder: string
  readonly mounts: readonly Mount[]
  /** The program, as seen inside, and its arguments. */
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly workingDirectory: string
  readonly user: User
  /** Its output is appended to this file. */
  readonly log: string
}

/** Who runs it. Numbers count only where this process is root. */
export interface User {
  readonly user: number
  readonly group: number
  readonly groups: readonly number[]
  /** Drops every capability. */
  readonly withoutCapabilities: boolean
  readonly noNewPrivileges: boolean
}

export interface Sandbox {
  /** Of the program, as this machine counts. It is process 1 inside, so that the others end with it. */
  readonly pid: number
  /** Of the process that waits for it. */
  readonly parent: number
  /** Its exit code; if a signal ended it, 128 plus the number of the signal. */
  readonly exited: Promise<number>
  signal (name: NodeJS.Signals): void
}

/** The program could not be started. */
export class StartError extends Error {}

/**
 * Starts a program in its own mount and process namespaces. It shares the network, the host name and the system folders (`/usr`, `/etc`,
 * `/sys`) with this machine. @throws StartError
 */
export async function startSandbox (options: SandboxOptions): Promise<Sandbox> {
  await mkdir(join(options.folder, 'root'), { recursive: true })
  await writeFile(join(options.folder, 'environment'), environmentFile(options.environment), { mode: 0o600 })
  const log = openSync(options.log, 'a')
  const child = spawn('/usr/bin/unshare', unshareArguments(options), { env: {}, stdio: ['ignore', log, log, 'pipe'] })
  closeSync(log)
  const exited = exitOf(once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>)
  exited.catch(() => {}) // reported by the next line
  await once(child, 'spawn').catch((error: unknown) => { throw new StartError(`unshare: ${(error as Error).message}`) })
  const said = await firstWords(child.stdio[3] as Readable)
  if (said !== 'started') {
    await exited
    throw new StartError(said || `the sandbox was not made: ${(await readFile(options.log, 'utf8')).trim().split('\n').at(-1)}`)
  }
  const parent = child.pid ?? 0
  const pid = await childOf(parent)
  return {
    pid,
    parent,
    exited,
    signal: name => {
      // It may have ended already.
      if (pid > 0 && child.exitCode === null && child.signalCode === null) trySignal(pid, name)
    },
  }
}

/**
 * Runs a command in the namespaces of a sandbox. Resolves with its output and its exit code, which is null if it took too long and was
 * killed.
 */
export async function runInside (sandbox: Sandbox, options: Pick<SandboxOptions, 'command' | 'environment' | 'user'>, milliseconds: number) {
  const namespaces = isRoot ? [] : ['--user', '--preserve-credentials']
  const enter = [`--target=${sandbox.pid}`, ...namespaces, '--mount', '--pid', '--root', '--wd']
  const environment = ['/usr/bin/env', '-i', ...assignments(options.environment)]
  const args = [...enter, ...environment, '/usr/bin/setpriv', ...userOptions(options.user), '--', ...options.command]
  const child = spawn('/usr/bin/nsenter', args, { env: {}, stdio: ['ignore', 'pipe', 'pipe'] })
  const exit = once(child, 'exit') as Promise<[number | null]>
  const timer = setTimeout(() => {
    // Its child process would continue to run.
    const { pid = 0 } = child
    void childOf(pid).then(inside => { for (const one of [inside, pid]) if (one > 0) trySignal(one, 'SIGKILL') })
  }, milliseconds)
  const [[code], stdout, stderr] = await Promise.all([exit, text(child.stdout), text(child.stderr)])
  clearTimeout(timer)
  return { code, output: stdout + stderr }
}

const assignments = (environment: Readonly<Record<string, string>>) => Object.entries(environment).map(([name, value]) => `${name}=${value}`)

/** Not the environment of `unshare`: a test runner adds variables, and a shell drops names that it does not accept. */
function environmentFile (environment: Readonly<Record<string, string>>): string {
  const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`
  return `path=${quote(environment.PATH ?? '')}\nin_environment() { exec env -i ${assignments(environment).map(quote).join(' ')} "$@"; }\n`
}

/** The first child of a process; 0 if there is none. */
const childOf = async (pid: number) =>
  Number((await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')).trim().split(' ')[0])

/** The report of the script: all of it, or `started`, after which the waiting part keeps the pipe open. */
async function firstWords (pipe: Readable): Promise<string> {
  let said = ''
  for await (const chunk of pipe) {
    said += String(chunk)
    if (said.trim() === 'started') break
  }
  return said.trim()
}

function unshareArguments ({ folder, workingDirectory, mounts, user, command }: SandboxOptions): string[] {
  return [
    ...isRoot ? [] : ['--user', '--map-root-user'],
    '--mount', '--pid', '/bin/sh', script, 'outside', join(folder, 'root'), join(folder, 'environment'), workingDirectory,
    ...mounts.flatMap(({ source, target, readOnly }) => [readOnly ? 'ro' : 'rw', source, target]), '--',
    ...userOptions(user), '--', ...command,
  ]
}

const userOptions = ({ user, group, groups, withoutCapabilities, noNewPrivileges }: User): string[] => [
  ...isRoot ? [`--reuid=${user}`, `--regid=${group}`, groups.length > 0 ? `--groups=${groups.join()}` : '--clear-groups'] : [],
  ...withoutCapabilities ? ['--bounding-set=-all', '--inh-caps=-all'] : [],
  ...noNewPrivileges ? ['--no-new-privs'] : [],
]

async function exitOf (exit: Promise<[number | null, NodeJS.Signals | null]>): Promise<number> {
  const [code, name] = await exit
  return code ?? 128 + constants.signals[name ?? 'SIGKILL']
}

function trySignal (pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
