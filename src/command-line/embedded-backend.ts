import { stat } from 'node:fs/promises'
import type { Logger } from 'pino'
import { EmbeddedCluster } from '../embedded/embedded-cluster.ts'
import { ManifestFolder } from '../embedded/manifest-folder.ts'
import type { Backend } from './backend.ts'
import { StartUpError } from './fault.ts'

// A file of its own, loaded only where it is asked for: what reads YAML is a tenth of what a process in a cluster would have in memory.

export async function embeddedBackend (folder: string, log: Logger): Promise<Backend> {
  const found = await stat(folder).catch(() => undefined)
  if (!found?.isDirectory()) throw new StartUpError(`--embedded ${folder}: ${found ? 'not a folder' : 'no such folder'}`)
  const manifests = new ManifestFolder(folder, log)
  return {
    cluster: new EmbeddedCluster(() => manifests.manifests),
    start: async () => await manifests.start(),
    stop: async () => manifests.stop(),
    manifests: () => manifests.manifests,
    onChange: listener => manifests.onChange(listener),
  }
}
