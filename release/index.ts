import { parseArgs } from 'node:util'
import { build } from './build.ts'
import { localImage, publishedImage } from './image-name.ts'
import { RefusedRelease } from './refused-release.ts'

// Builds everything that a release publishes, but does not publish it: .github/workflows/release.yml publishes the result.

const usage = `usage: npm run release -- --dry-run
       npm run release -- --tag v1.2.3 --image ghcr.io/OWNER/dittofs-operator --digest sha256:… --executables FOLDER

--dry-run             build without a tag, with an image of this machine, which is also built if Docker is available
--quick               with --dry-run: build neither the image nor an executable
--tag TAG             git tag; it must match the version in package.json
--image NAME          registry, owner and name of the image that was pushed
--digest DIGEST       digest of that image
--executables FOLDER  archives of the executables to publish (default with --dry-run: the one for this machine is built)
--repository URL      URL of the source, for the npm package
--out FOLDER          output folder (default: dist/release)
`

const { values: options } = parseArgs({
  options: {
    'dry-run': { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    tag: { type: 'string' },
    image: { type: 'string' },
    digest: { type: 'string' },
    executables: { type: 'string' },
    repository: { type: 'string' },
    out: { type: 'string', default: 'dist/release' },
    help: { type: 'boolean', default: false },
  },
})
const { 'dry-run': isDryRun, quick, tag, image, digest, executables, repository, out, help } = options

if (help) process.stdout.write(usage)
else if (!isDryRun && (tag === undefined || image === undefined || digest === undefined || executables === undefined)) {
  process.stderr.write(usage)
  process.exitCode = 2
} else {
  try {
    await build({
      isDryRun,
      isQuick: isDryRun && quick,
      ...tag === undefined ? {} : { tag },
      image: image === undefined ? localImage : publishedImage(image, digest ?? ''),
      ...executables === undefined ? {} : { executables },
      ...repository === undefined ? {} : { repository },
      out,
      say: line => { process.stdout.write(`${line}\n`) },
    })
  } catch (error) {
    if (!(error instanceof RefusedRelease)) throw error
    for (const reason of error.reasons) process.stderr.write(`release: ${reason}\n`)
    process.exitCode = 1
  }
}
