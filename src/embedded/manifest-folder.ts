import { watch, type FSWatcher } from 'node:fs'
import type { Logger } from 'pino'
import { manifestFiles } from './manifest-files.ts'
import { isManifest, isUnreadable, readManifests, type Manifest } from './manifests.ts'

/** Editors write a file in several steps; after this time they are done. */
const settled = 150

/**
 * The manifests in a folder, read again when files change. If a document in a file cannot be read, the file keeps its last valid content;
 * if there is none, only that document is skipped. Both are logged.
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

  /** @throws if the folder cannot be read */
  async start (): Promise<void> {
    await this.#read()
    this.#watcher = watch(this.#path, { recursive: true }, () => {
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => void this.#reread(), settled)
    })
    this.#watcher.on('error', error => this.#log.error({ err: error, folder: this.#path }, 'the folder can no longer be watched'))
  }

  stop (): void {
    clearTimeout(this.#timer)
    this.#watcher?.close()
  }

  async #reread (): Promise<void> {
    try {
      await this.#read()
    } catch (error) {
      this.#log.error({ err: error, folder: this.#path }, 'cannot read the folder; its last content is still used')
      return
    }
    this.#log.info({ folder: this.#path, objects: this.#all.length }, 'manifests read again')
    for (const listener of this.#listeners) listener()
  }

  async #read (): Promise<void> {
    const files = await manifestFiles(this.#path)
    for (const gone of [...this.#files.keys()].filter(file => !files.includes(file))) this.#files.delete(gone)
    await Promise.all(files.map(async file => await this.#readFile(file)))
    this.#all = files.flatMap(file => this.#files.get(file) ?? [])
  }

  async #readFile (file: string): Promise<void> {
    const refused = (cause: string) => this.#log.error({ file, cause }, 'manifest refused; the last good content of the file is still used')
    try {
      const found = await readManifests(file)
      const unreadable = found.filter(isUnreadable)
      for (const { source, problem } of unreadable) refused(`${source}: ${problem}`)
      if (unreadable.length === 0 || !this.#files.has(file)) this.#files.set(file, found.filter(isManifest))
    } catch (error) {
      refused((error as Error).message)
    }
  }
}
