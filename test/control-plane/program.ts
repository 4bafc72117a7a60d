import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { ChildProcess, SpawnOptions } from 'node:child_process'

/** Starting takes 4 s on an idle machine of 2 cores; the rest is for a busy one. */
const startWithin = 400_000
const endWithin = 10_000

export interface ProgramOptions {
  readonly path: string
  readonly args: readonly string[]
  /** The output of the program is appended to this file. */
  readonly log: string
  /** Whether it serves by now. A rejection is a no. */
  readonly isReady: () => Promise<boolean>
  /** Told of every new process, before it is awaited. */
  readonly onSpawn: () => void
  /** Environment, user and folder, where they are not those of this process. */
  readonly process?: Pick<SpawnOptions, 'env' | 'uid' | 'gid' | 'cwd'>
  /** Default: SIGKILL. All data is thrown away anyway, so few programs need to tidy up. */
  readonly endBy?: NodeJS.Signals
}

/** A program that can go away and come back. */
export class Program {
  private readonly options: ProgramOptions
  private child: ChildProcess | undefined
  private closed = false

  constructor (options: ProgramOptions) {
    this.options = options
  }

  private get running (): ChildProcess | undefined {
    return this.child?.exitCode === null && this.child.signalCode === null ? this.child : undefined
  }

  get pid (): number | undefined {
    return this.running?.pid
  }

  /** Resolves when it serves. @throws with the end of its output, if it ends or takes too long */
  async start (): Promise<void> {
    await this.kill()
    const log = await open(this.options.log, 'a')
    if (this.closed) {
      await log.close()
      throw new Error(`${this.options.path} is not wanted any more`)
    }
    // Not a pipe: it would fill up, or break, together with this process.
    const child = spawn(this.options.path, this.options.args, { ...this.options.process, stdio: ['ignore', log.fd, log.fd] })
    this.child = child
    await once(child, 'spawn').finally(async () => await log.close())
    this.options.onSpawn()
    const deadline = Date.now() + startWithin
    while (!await this.options.isReady().catch(() => false)) {
      if (!this.running || Date.now() > deadline) {
        const said = (await readFile(this.options.log, 'utf8')).trim().split('\n').slice(-15).join('\n')
        throw new Error(`${this.options.path} ${this.running ? `does not serve after ${startWithin} ms` : 'ended'}:\n${said}`)
      }
      await delay(50)
    }
  }

  /** @throws when it does not run */
  signal (name: NodeJS.Signals): void {
    if (!this.running?.kill(name)) throw new Error(`${this.options.path} does not run`)
  }

  /** Resolves when the process has ended, of its own accord or not. Never if it does not run. */
  async ended (): Promise<void> {
    if (this.running) await once(this.running, 'exit')
    else await new Promise(() => {})
  }

  /** For good: a start that is under way fails. */
  async close (): Promise<void> {
    this.closed = true
    await this.kill()
  }

  /** Resolves when the process has ended. */
  async kill (): Promise<void> {
    const child = this.running
    if (!child) return
    const exited = once(child, 'exit')
    child.kill(this.options.endBy ?? 'SIGKILL')
    const unlessGone = setTimeout(() => child.kill('SIGKILL'), endWithin)
    await exited
    clearTimeout(unlessGone)
  }
}
