import { copyFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { bundleSandbox, companions, leastNode } from '../.config/bundle.ts'
import { pageFolder } from '../.config/playground-page.ts'
import { run } from './run.ts'

const program = 'dittofs-operator.mjs'
const files = [program, pageFolder, companions.licenses, companions.sbom]

interface Manifest { readonly name: string, readonly version: string, readonly description: string, readonly license: string }

/**
 * The package that is published: the bundle as the command `dittofs-operator`, without dependencies. `built`: folder with the bundle and
 * its companion files. `repository`: URL of the source, which npm compares with the provenance. Resolves with the name of the tarball in
 * `out`.
 */
export async function npmPackage (built: string, out: string, repository?: string): Promise<string> {
  const { name, version, description, license } = JSON.parse(await readFile('package.json', 'utf8')) as Manifest
  const staging = resolve(built, 'npm')
  await rm(staging, { recursive: true, force: true })
  await mkdir(staging)
  for (const file of files) await cp(join(built, file), join(staging, file), { recursive: true })
  const sandbox = await bundleSandbox(staging)
  await copyFile('LICENSE', join(staging, 'LICENSE'))
  await copyFile('release/npm-readme.md', join(staging, 'README.md'))
  const manifest = {
    name,
    version,
    description,
    keywords: ['kubernetes', 'operator', 'admission-webhook', 'dittofs', 'nfs', 'smb'],
    license,
    ...repository === undefined ? {} : { repository: { type: 'git', url: `git+${repository}.git` } },
    type: 'module',
    bin: { [name]: program },
    engines: { node: `>=${leastNode}` },
    files: [...files, sandbox],
  }
  await writeFile(join(staging, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
  const [packed] = JSON.parse(await run('npm', ['pack', staging, '--pack-destination', out, '--json'])) as { filename: string }[]
  if (packed === undefined) throw new Error('npm pack made nothing')
  return packed.filename
}
