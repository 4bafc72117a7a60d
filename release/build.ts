import { copyFile, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { bundleWithCompanions, companions } from '../.config/bundle.ts'
import { version } from '../src/version.ts'
import { disagreements, type Versions } from './agreement.ts'
import { changesOf } from './changelog.ts'
import { chartArchive } from './chart.ts'
import { checksum, checksums } from './checksums.ts'
import { executableArchive, executableArchives, executableFiles, executablePlatforms } from './executable.ts'
import { nameOf, type Image } from './image-name.ts'
import { installManifest } from './install-manifest.ts'
import { krewManifest } from './krew.ts'
import { npmPackage } from './npm-package.ts'
import { RefusedRelease } from './refused-release.ts'
import { run, works } from './run.ts'

export interface Release {
  readonly isDryRun: boolean
  /** Skips the image and the executables. */
  readonly isQuick: boolean
  readonly tag?: string
  readonly image: Image
  /** Folder that contains the archives of the executables. */
  readonly executables?: string
  /** URL of the source. */
  readonly repository?: string
  readonly out: string
  readonly say: (line: string) => void
}

/** As found by the tests. */
const helm = process.env['HELM'] ?? 'helm'

const read = async (file: string) => await readFile(file, 'utf8')

async function versions (tag: string | undefined): Promise<Versions> {
  const { version: locked } = JSON.parse(await read('package-lock.json')) as { version: string }
  const chart = parse(await read('manifests/chart/Chart.yaml')) as Versions['chart']
  return { version, locked, ...tag === undefined ? {} : { tag }, changelog: await read('CHANGELOG.md'), chart }
}

async function missingExecutables (from: string): Promise<readonly string[]> {
  const found = await readdir(from)
  return executableArchives.filter(file => !found.includes(file)).map(file => `--executables ${from}: ${file} is not there`)
}

/** Returns the names of the archives, which are then in `out`. */
async function executables ({ executables: from, isDryRun, isQuick, out }: Release, built: string): Promise<readonly string[]> {
  if (isQuick) return []
  if (from === undefined) return [await executableArchive(built, out, { lenient: isDryRun })]
  for (const file of executableArchives) await copyFile(join(from, file), join(out, file))
  return executableArchives
}

/** Named after the plugin, as the index of krew wants it. */
const krewFile = 'dittofs.yaml'

/** With the platforms whose archives are in `out`. */
async function krewPlugin ({ out, repository }: Release, archives: readonly string[]): Promise<string> {
  const platforms = executablePlatforms.filter(({ file }) => archives.includes(file))
  const withSums = await Promise.all(platforms.map(async platform => ({ ...platform, sha256: await checksum(join(out, platform.file)) })))
  return krewManifest({ platforms: withSums, files: executableFiles, repository })
}

/** The status of the image. In a release it is pushed before everything else is built, because everything names it by its digest. */
async function buildImage ({ isDryRun, isQuick, image }: Release): Promise<string> {
  if (!isDryRun) return 'pushed already'
  if (isQuick) return 'not built'
  if (!await works('docker', 'info')) return 'not built, no Docker here'
  await run('docker', ['build', '--tag', nameOf(image), '.'])
  return 'built'
}

/** Builds everything into `out`. @throws {RefusedRelease} */
export async function build (release: Release): Promise<void> {
  const { image, out, tag, say } = release
  const known = await versions(tag)
  const reasons = [...disagreements(known), ...release.executables === undefined ? [] : await missingExecutables(release.executables)]
  if (reasons.length > 0) throw new RefusedRelease(reasons)
  say(`version ${version}: ${tag === undefined ? '' : `tag ${tag}, `}package.json, lockfile, chart and changelog agree`)
  say(`image ${nameOf(image)}: ${await buildImage(release)}`)

  const built = join(out, 'parts')
  await rm(out, { recursive: true, force: true })
  await mkdir(built, { recursive: true })
  const packages = await bundleWithCompanions(join(built, 'dittofs-operator.mjs'))
  say(`bundle of ${packages.length} packages, with their licences and an SBOM`)

  const files: string[] = []
  const write = async (file: string, content: string) => {
    await writeFile(join(out, file), content)
    files.push(file)
  }
  for (const file of Object.values(companions)) await write(file, await read(join(built, file)))
  await write('install.yaml', installManifest(nameOf(image)))
  await write('CHANGES.md', `${changesOf(known.changelog, version)}\n`)
  const chart = await chartArchive(built, out, image, release.repository)
  if (await works(helm, 'version')) await run(helm, ['lint', '--strict', join(out, chart)])
  else say('no Helm here: the chart is not linted')
  const archives = await executables(release, built)
  files.push(chart, await npmPackage(built, out, release.repository), ...archives)
  if (archives.length > 0) await write(krewFile, await krewPlugin(release, archives))
  await write('SHA256SUMS', await checksums(out, files))
  await rm(built, { recursive: true })
  for (const file of files) say(`${((await stat(join(out, file))).size / 1e6).toFixed(2).padStart(7)} MB  ${join(out, file)}`)
  if (release.isDryRun) say('dry run: nothing is signed or published; the workflow release does that')
}
