import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { arch, execPath, platform } from 'node:process'
import { bundle, companions } from '../.config/bundle.ts'
import { pageFolder, writePage } from '../.config/playground-page.ts'
import { archive } from './archive.ts'
import { run } from './run.ts'

// A single executable: the running Node, with the program inside. https://nodejs.org/api/single-executable-applications.html
// Built on a machine of the target platform, where it can be run before it is published, and signed if necessary.

/** The marker that Node searches for in its own file; a constant in its sources. */
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'
const architectures: Readonly<Record<string, string>> = { x64: 'amd64' }

/** With the platform names that Kubernetes uses. */
const archiveName = (system: string, architecture: string) => `dittofs-operator-${system}-${architecture}.tar.gz`

/** The executables of a release. */
export const executablePlatforms: readonly { readonly system: string, readonly architecture: string, readonly file: string }[] =
  ['linux', 'darwin'].flatMap(system => ['amd64', 'arm64'].map(architecture => ({ system, architecture, file: archiveName(system, architecture) })))
export const executableArchives: readonly string[] = executablePlatforms.map(({ file }) => file)

/** The contents of an archive: the program, and its licences. `LICENSE-NODE` is always in those that are published. */
export const executableFiles = ['dittofs-operator', 'LICENSE', companions.licenses] as const

/** Creates the executable at `file`. */
export async function executable (file: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'executable-'))
  try {
    const [main, output, config] = ['main.cjs', 'blob', 'config.json']
    await bundle(join(scratch, main), 'cjs')
    await writePage(join(scratch, pageFolder))
    const page = (await readdir(join(scratch, pageFolder))).sort().map(name => `${pageFolder}/${name}`)
    // Without a code cache, which would differ between builds.
    const assets = Object.fromEntries(page.map(path => [path, path]))
    await writeFile(join(scratch, config), JSON.stringify({ main, output, assets, disableExperimentalSEAWarning: true }))
    // In the folder itself, because the blob contains the path of the script.
    await run(execPath, ['--experimental-sea-config', config], scratch)
    await mkdir(dirname(file), { recursive: true })
    await rm(file, { force: true })
    await copyFile(await realpath(execPath), file)
    await chmod(file, 0o755)
    // The injection invalidates the signature of Node, and macOS starts only programs with a valid signature.
    if (platform === 'darwin') await run('codesign', ['--remove-signature', file])
    const segment = platform === 'darwin' ? ['--macho-segment-name', 'NODE_SEA'] : []
    await run(execPath, ['node_modules/postject/dist/cli.js', file, 'NODE_SEA_BLOB', join(scratch, output), '--sentinel-fuse', fuse, ...segment])
    if (platform === 'darwin') await run('codesign', ['--sign', '-', file])
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** The licence of Node, which its downloads contain next to the program folder; undefined if it does not exist. */
const licenseOfNode = async (): Promise<string | undefined> =>
  await readFile(join(dirname(await realpath(execPath)), '..', 'LICENSE'), 'utf8').catch(() => undefined)

/**
 * The executable and all licences, as an archive in `out`. `built`: folder with the companion files of the bundle. Resolves with the name
 * of the archive. @throws {Error} if Node has no licence file, unless `lenient`
 */
export async function executableArchive (built: string, out: string, { lenient }: { readonly lenient: boolean }): Promise<string> {
  const scratch = join(built, 'executable')
  await rm(scratch, { recursive: true, force: true })
  await executable(join(scratch, 'dittofs-operator'))
  const files: string[] = [...executableFiles]
  await copyFile('LICENSE', join(scratch, 'LICENSE'))
  await copyFile(join(built, companions.licenses), join(scratch, companions.licenses))
  const license = await licenseOfNode()
  if (license !== undefined) {
    await writeFile(join(scratch, 'LICENSE-NODE'), license)
    files.push('LICENSE-NODE')
  } else if (!lenient) throw new Error(`${execPath}: no LICENSE of Node beside it; use a download of nodejs.org`)
  const file = archiveName(platform, architectures[arch] ?? arch)
  await archive(join(out, file), scratch, files)
  return file
}
