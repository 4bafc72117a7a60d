import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import type { Test } from 'tap'
import { FileSource, type FileSourceOptions } from '../../src/tls/file-source.ts'
import type { Files } from './certificates.ts'

type LogLine = Record<string, unknown> & { level: number, msg: string, cause?: string }

/** A source with what it logged and counted, stopped with the test. */
export function observe (t: Test, options: Omit<FileSourceOptions, 'log'>) {
  const lines: LogLine[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) })
  const count = { reads: 0, refused: 0, loaded: 0 }
  const source = new FileSource({
    pollInterval: 100,
    settleTime: 10,
    ...options,
    log,
    onRead: () => { count.reads++ },
    onRefused: () => { count.refused++ },
    onLoaded: () => { count.loaded++ },
  })
  t.teardown(async () => await source.stop())
  const logged = (message: RegExp) => lines.filter(({ msg }) => message.test(msg))
  return { source, lines, logged, count }
}

export function writeFiles (dir: string, files: Partial<Files>): void {
  mkdirSync(dir, { recursive: true })
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content)
}

/** A mounted Secret as the kubelet keeps it: each content in a folder of its own, shown through the link `..data`. */
export class SecretVolume {
  readonly dir: string
  #revision = 0

  constructor (dir: string, files: Partial<Files>) {
    this.dir = dir
    mkdirSync(dir, { recursive: true })
    this.update(files)
    for (const name of ['tls.crt', 'tls.key', 'ca.crt']) symlinkSync(join('..data', name), join(dir, name))
  }

  /** https://github.com/kubernetes/kubernetes/blob/master/pkg/volume/util/atomic_writer.go */
  update (files: Partial<Files>): void {
    const before = `..revision-${this.#revision++}`
    const next = `..revision-${this.#revision}`
    writeFiles(join(this.dir, next), files)
    symlinkSync(next, join(this.dir, '..data_tmp'))
    renameSync(join(this.dir, '..data_tmp'), join(this.dir, '..data'))
    rmSync(join(this.dir, before), { recursive: true, force: true })
  }
}
