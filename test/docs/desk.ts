import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { bundleWithCompanions } from '../../.config/bundle.ts'
import { npmPackage } from '../../release/npm-package.ts'
import { eventually, freePort } from '../control-plane/control-plane.ts'

// Where a reader sits: a clone of the project, a repository with servers of his own, the programs that the pages speak of, and
// a home with a kubeconfig.

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Of the project, what commands touch. Whatever else they write is beside it. */
const cloned = ['.config', 'manifests', 'node_modules', 'package.json', 'src']
const within = 90_000

export interface Ran { readonly code: number | null, readonly stdout: string, readonly stderr: string }

/** `place`: a folder of the desk. */
export async function setDesk (t: Pick<Test, 'teardown'>) {
  const folder = await mkdtemp(join(tmpdir(), 'desk-'))
  t.teardown(async () => { await rm(folder, { recursive: true, force: true }) })
  const path = (...parts: readonly string[]) => join(folder, ...parts)
  for (const name of ['home/.kube', 'bin', 'clone', 'servers', 'built', 'packed', 'cache']) await mkdir(path(name), { recursive: true })
  for (const name of cloned) await symlink(join(root, name), path('clone', name))

  const [port, healthPort] = [await freePort(), await freePort()]
  const env: Record<string, string> = {
    HOME: path('home'),
    PATH: [path('bin'), dirname(process.execPath), process.env.PATH ?? ''].join(delimiter),
    // `npx` takes what is installed here, and asks no registry.
    npm_config_prefix: path('npm'),
    npm_config_cache: path('cache'),
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
    // What is fetched from there comes from here.
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_0: `url.file://${root}.insteadOf`,
    GIT_CONFIG_VALUE_0: 'https://github.com/dittofs/dittofs-operator',
    GIT_CONFIG_KEY_1: 'safe.directory',
    GIT_CONFIG_VALUE_1: '*',
    ...Object.fromEntries(['AUTHOR', 'COMMITTER'].flatMap(who => [[`GIT_${who}_NAME`, 'reader'], [`GIT_${who}_EMAIL`, 'reader@example.com']])),
    DITTOFS_OPERATOR_PORT: String(port),
    DITTOFS_OPERATOR_HEALTH_PORT: String(healthPort),
    NO_COLOR: '1',
    // Most of the time goes into starting the same programs again and again.
    NODE_COMPILE_CACHE: path('compiled'),
  }

  const start = (command: string, place: string) => {
    // A group of its own, so that what a command started in the background ends with it.
    const child = spawn('bash', ['-o', 'pipefail', '-c', command], { cwd: path(place), env, detached: true })
    let [stdout, stderr] = ['', '']
    child.stdin.end()
    child.stdout.on('data', chunk => { stdout += String(chunk) })
    child.stderr.on('data', chunk => { stderr += String(chunk) })
    const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
    const end = (signal: NodeJS.Signals) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal)
      } catch {
        // The group has ended.
      }
    }
    return { exited, end, ran: (code: number | null): Ran => ({ code, stdout, stderr }) }
  }

  return {
    path,
    port,
    healthPort,
    env,
    /** A program of the reader's PATH. */
    program: async (name: string, script: string) => { await writeFile(path('bin', name), `#!/bin/bash\n${script}\n`, { mode: 0o755 }) },
    /** To its end. */
    run: async (command: string, place = 'clone'): Promise<Ran> => {
      const { exited, end, ran } = start(command, place)
      const timer = setTimeout(() => { end('SIGKILL') }, within)
      const [code] = await exited
      clearTimeout(timer)
      end('SIGKILL')
      return ran(code)
    },
    /** Until it has said so. It goes on until it is told to end, as a person does with Ctrl-C. */
    serve: async (command: string, says: RegExp, place = 'clone') => {
      const { exited, end, ran } = start(command, place)
      let over = false
      void exited.then(() => { over = true })
      t.teardown(() => { end('SIGKILL') })
      await eventually(async () => over || says.test(ran(null).stdout + ran(null).stderr), `${command}: ${says}`, within)
        .catch((error: unknown) => { throw new Error(`${(error as Error).message}; it said: ${JSON.stringify(ran(null))}`) })
      return {
        ran: () => ran(over ? 1 : null),
        end: async () => {
          end('SIGINT')
          await exited
        },
      }
    },
    /** The npm package, made and installed as one that was published. */
    install: async (): Promise<void> => {
      await bundleWithCompanions(path('built', 'dittofs-operator.mjs'))
      const tarball = await npmPackage(path('built'), path('packed'))
      const { exited, ran } = start(`npm install --global --no-audit --no-fund ${path('packed', tarball)}`, 'home')
      const [code] = await exited
      if (code !== 0) throw new Error(`npm install: ${ran(code).stderr}`)
    },
  }
}

export type Desk = Awaited<ReturnType<typeof setDesk>>
