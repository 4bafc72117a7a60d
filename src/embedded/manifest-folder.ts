import { watch, type FSWatcher } from 'node:fs'
import type { Logger } from 'pino'
import { manifestFiles, readManifests, type Manifest } from './manifests.ts'

/** Editors write a file in several steps; they are over by then. */
const settled = 150

/**
 * The manifests of a folder, read again when files change. A file that cannot be read as YAML keeps its last good content,
 * and the log says so.
 */
export class ManifestFolder {
  readonly #path: string
  readonly #log: Logger
  readonly #files = new Map<string, readonly Manifest[]>()
  readonly #listeners = new Set<() => void>()
  #all: readonly Manifest[] = []
  #watcher: FSWatcher | undefined
  #timer: NodeJS.Timeout | undefined

  constructor (path: string, log: Logger) {
    this.#path = path
    this.#log = log
  }

  get manifests (): readonly Manifest[] { return this.#all }

  onChange (listener: () => void): void { this.#listeners.add(listener) }

  /** @throws when the folder cannot be read at all */
  async start (): Promise<void> {
    await this.#read()
    this.#watcher = watch(this.#path, { recursive: true }, () => {
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => void this.#reread(), settled)
    })
    this.#watcher.on('error', error => this.#log.error({ err: error, folder: this.#path }, 'cannot watch the folder any more'))
  }

  stop (): void {
    clearTimeout(this.#timer)
    this.#watcher?.close()
  }

  async #reread (): Promise<void> {
    try {
      await this.#read()
    } catch (error) {
      this.#log.error({ err: error, folder: this.#path }, 'cannot read the folder; its last content stays in use')
      return
    }
    this.#log.info({ folder: this.#path, objects: this.#all.length }, 'manifests read again')
    for (const listener of this.#listeners) listener()
  }

  async #read (): Promise<void> {
    const files = await manifestFiles(this.#path)
    for (const gone of [...this.#files.keys()].filter(file => !files.includes(file))) this.#files.delete(gone)
    await Promise.all(files.map(async file => {
      try {
        this.#files.set(file, await readManifests(file))
      } catch (error) {
        this.#log.error({ file, cause: (error as Error).message }, 'manifest refused; its last good content stays in use')
      }
    }))
    this.#all = files.flatMap(file => this.#files.get(file) ?? [])
  }
}
