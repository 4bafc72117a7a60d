import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { listeners } from '../src/dittoserver/ports.ts'
import { isExecutable } from '../test/control-plane/binaries.ts'
import { findCounterparts } from '../test/counterparts/counterparts.ts'
import { acquireCounterparts } from '../test/counterparts/acquisition.ts'
import { isRoot } from '../test/node/sandbox.ts'
import { apiPort } from './samples.ts'

const namespaceTools = ['unshare', 'nsenter', 'setpriv'].map(name => `/usr/bin/${name}`)

/** The programs of DittoFS, or why no server can run here: one sentence. */
export type FileServer = { readonly dfs: string, readonly dfsctl: string } | { readonly reason: string }

export interface FileServerOptions {
  /** Builds the programs if they are missing: this needs Go. */
  readonly build: boolean
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

export async function findFileServer ({ build, say, signal }: FileServerOptions): Promise<FileServer> {
  const reason = await noNamespaces()
  if (reason !== undefined) return { reason }
  const names = ['dfs', 'dfsctl'] as const
  if (build) await acquireCounterparts(say, names, signal)
  const found = await findCounterparts(names)
  if (!('unavailable' in found)) return found
  return { reason: 'no dfs and dfsctl of DittoFS: --build-server builds them with Go in 1 to 4 minutes; or set COUNTERPARTS_ASSETS' }
}

/** Of the ports on which the sample listens, those that something else on this machine occupies. */
export async function portsInUse (): Promise<readonly number[]> {
  const ports = [listeners.nfs, listeners.smb, apiPort]
  const inUse = await Promise.all(ports.map(async port => {
    const server = createServer().listen(port)
    return await once(server, 'listening').then(() => { server.close() }, () => port)
  }))
  return inUse.filter(port => port !== undefined)
}

/** Containers are processes in namespaces of Linux. */
async function noNamespaces (): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'containers are processes in namespaces, which only Linux has'
  for (const tool of namespaceTools) if (!await isExecutable(tool)) return `no ${tool}: install the package util-linux`
  if (isRoot) return undefined
  try {
    await promisify(execFile)('/usr/bin/unshare', ['--user', '--map-root-user', '--mount', '/bin/true'])
    return undefined
  } catch {
    return 'this machine does not let its users make namespaces: start the sandbox as root'
  }
}
