import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { stringify } from 'yaml'
import type { KubernetesObject } from '../cluster/kubernetes-object.ts'
import { manifestFiles } from './manifest-files.ts'
import { parseManifests, type Manifest } from './manifests.ts'

/** The first line of each generated file: a file without it is never replaced or removed. */
const mark = '# Rendered by dittofs-operator; changes are overwritten.\n'

/** Names come from users, and must not lead out of the folder. */
const safe = /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/

/** The changes to the files, by path within the folder. */
export interface Written { readonly written: readonly string[], readonly removed: readonly string[], readonly foreign: readonly string[] }

/** The second output of the renderers: a folder of YAML files, one per object, `NAMESPACE/KIND-NAME.yaml`. */
export class OutputFolder {
  readonly #path: string

  constructor (path: string) {
    this.#path = path
  }

  /** The objects that were written before, so that a signing key is created only once. @throws for a file that cannot be read */
  async manifests (): Promise<Manifest[]> {
    return (await this.#ours()).flatMap(({ file, text }) => parseManifests(text, file))
  }

  /** Updates the folder to exactly these objects, and does not change other files. @throws errors of the file system */
  async write (objects: readonly KubernetesObject[]): Promise<Written> {
    const existing = new Map((await this.#ours()).map(({ file, text }) => [file, text]))
    const written: string[] = []
    const foreign: string[] = []
    const wanted = new Set<string>()
    for (const object of objects) {
      const file = join(this.#path, fileOf(object))
      wanted.add(file)
      const text = `${mark}${stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })}`
      if (existing.get(file) === text) continue
      if (!existing.has(file) && await exists(file)) foreign.push(file)
      else {
        await replace(file, text, object.kind === 'Secret' ? 0o600 : 0o644)
        written.push(file)
      }
    }
    const removed = [...existing.keys()].filter(file => !wanted.has(file))
    for (const file of removed) await rm(file)
    const short = (files: readonly string[]) => files.map(file => relative(this.#path, file))
    return { written: short(written), removed: short(removed), foreign: short(foreign) }
  }

  async #ours (): Promise<{ file: string, text: string }[]> {
    await mkdir(this.#path, { recursive: true })
    const files = await manifestFiles(this.#path)
    const read = await Promise.all(files.map(async file => ({ file, text: await readFile(file, 'utf8') })))
    return read.filter(({ text }) => text.startsWith(mark))
  }
}

function fileOf ({ kind, metadata: { namespace = '', name } }: KubernetesObject): string {
  if (!safe.test(namespace) || !safe.test(name)) throw new Error(`${kind} ${namespace}/${name} cannot be used as a file name`)
  return `${namespace}/${kind.toLowerCase()}-${name}.yaml`
}

const exists = async (file: string) => await readFile(file).then(() => true, (error: NodeJS.ErrnoException) => {
  if (error.code === 'ENOENT') return false
  throw error
})

/** Writes atomically, so that no reader sees half a file. */
async function replace (file: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const temporary = `${file}.tmp`
  await writeFile(temporary, text, { mode })
  await rename(temporary, file)
}
