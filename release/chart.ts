import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseDocument } from 'yaml'
import { chartFiles } from '../src/manifests/chart/chart.ts'
import { name } from '../src/manifests/install/installation.ts'
import { repository as ownRepository } from '../src/project.ts'
import { version } from '../src/version.ts'
import { archive } from './archive.ts'
import type { Image } from './image-name.ts'

const chartFolder = 'manifests/chart'

function withImage (values: string, { registry = '', repository, digest = '' }: Image): string {
  const document = parseDocument(values)
  for (const [field, value] of Object.entries({ registry, repository, digest })) document.setIn(['image', field], value)
  return document.toString({ lineWidth: 0 })
}

/**
 * The chart as an archive, with the image of the release in its values. `helm package` is not used, because it writes the current time into
 * the archive.
 * `scratch`: a folder for its files. `repository`: the location of the runbooks of its alerts. Resolves with the name of the archive in
 * `out`.
 */
export async function chartArchive (scratch: string, out: string, image: Image, repository = ownRepository): Promise<string> {
  await rm(join(scratch, name), { recursive: true, force: true })
  const files: string[] = []
  for (const [path, content] of Object.entries(chartFiles())) {
    const file = path.replace(chartFolder, name)
    await mkdir(dirname(join(scratch, file)), { recursive: true })
    const text = path === `${chartFolder}/values.yaml` ? withImage(content, image) : content
    await writeFile(join(scratch, file), text.replaceAll(ownRepository, repository))
    files.push(file)
  }
  const file = `${name}-chart-${version}.tgz`
  await archive(join(out, file), scratch, files)
  return file
}
