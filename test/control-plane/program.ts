import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { ChildProcess } from 'node:child_process'

/** Starting takes 4 s on an idle machine of 2 cores; the rest is for a busy one. */
const startWithin = 90_000

export interface ProgramOptions {
  readonly path: string
  readonly args: readonly string[]
  /** What the program says is added to this file. */
  readonly log: string
  /** Whether it serves by now. A rejection is a no. */
  readonly isReady: () => Promise<boolean>
  /** Told of every new process, before it is awaited. */
  readonly onSpawn: () => void
}

/** A program that can go away and come back. */
export class Program {
  private readonly options: ProgramOptions
  private child: ChildProcess | undefined

  constructor (options: ProgramOptions) {
    this.options = options
  }

  private get running (): ChildProcess | undefined {
    return this.child?.exitCode === null && this.child.signalCode === null ? this.child : undefined
  }

  get pid (): number | undefined {
    return this.running?.pid
  }

  /** Resolves when it serves. @throws when it ends instead, or takes too long, with the end of what it said */
  async start (): Promise<void> {
    await this.kill()
    const log = await open(this.options.log, 'a')
    // Not a pipe: it would fill up, or break, together with this process.
    const child = spawn(this.options.path, this.options.args, { stdio: ['ignore', log.fd, log.fd] })
    await once(child, 'spawn').finally(async () => await log.close())
    this.child = child
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

  /** All data is thrown away anyway, so no program gets to tidy up. */
  async kill (): Promise<void> {
    const child = this.running
    if (!child) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
}
