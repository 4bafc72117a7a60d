import { readdir, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'

const isManifest = (name: string) => /\.(ya?ml|json)$/.test(name)
/** These files configure kustomize, and may not be Kubernetes objects. */
const isKustomization = (name: string) => /^kustomization\.ya?ml$/.test(name)
const isHidden = (path: string) => path.split(sep).some(part => part.startsWith('.'))

/**
 * The files in a folder that are read: those that end in `.yaml`, `.yml` or `.json`, including those in subfolders, except kustomizations
 * and hidden files and folders, whose names begin with a dot. Sorted by path. A file that is given directly is always read.
 */
export async function manifestFiles (path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path]
  const entries = await readdir(path, { withFileTypes: true, recursive: true })
  return entries
    .filter(entry => !entry.isDirectory() && isManifest(entry.name) && !isKustomization(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
    .filter(file => !isHidden(relative(path, file)))
    .sort()
}
