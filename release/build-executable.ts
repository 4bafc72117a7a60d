import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { bundleWithCompanions } from '../.config/bundle.ts'
import { executableArchive } from './executable.ts'

// The workflow `release` runs this on a machine of each platform, with a downloaded Node.

const [out = 'dist/executables'] = process.argv.slice(2)
await mkdir('dist/parts', { recursive: true })
await mkdir(out, { recursive: true })
await bundleWithCompanions('dist/parts/dittofs-operator.mjs')
const file = await executableArchive('dist/parts', out, { lenient: false })
process.stdout.write(`${join(out, file)}\n`)
